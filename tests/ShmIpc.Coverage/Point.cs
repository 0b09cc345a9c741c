// A stretch of source lines that is run as one; its number is its place in the list.

using System.Globalization;

namespace ShmIpc.Coverage;

/// <param name="File">Relative to src/ShmIpc.</param>
/// <param name="Method">Its method, or the one that the compiler made it from.</param>
/// <param name="First">Its first line.</param>
/// <param name="Last">Its last line.</param>
internal sealed record Point(string File, string Method, int First, int Last)
{
    public static Point Parse(string line)
    {
        string[] parts = line.Split('\t');
        return new(parts[0], parts[1], Number(parts[2]), Number(parts[3]));

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}\t{Method}\t{First}\t{Last}");
}
