// A line of /proc/self/maps: how this process has mapped a file, and what lies before and behind.

using System.Globalization;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed record MappedRange(nuint Start, nuint End, string Access, long FileOffset, string Path)
{
    private const string Inaccessible = "---p";

    /// <summary>What is mapped of a file, in the order of addresses.</summary>
    public static IEnumerable<MappedRange> Of(string path) => All().Where(range => range.Path == path);

    /// <summary>How many runs of mappings of a file have no inaccessible page directly before or directly behind them.</summary>
    public static int Unguarded(string path)
    {
        List<MappedRange> all = All();
        int unguarded = 0;
        for (int i = 0; i < all.Count; i++)
        {
            if (all[i].Path == path && !(IsEdge(i - 1, all[i].Start) && IsEdge(i + 1, all[i].End)))
            {
                unguarded++;
            }
        }

        return unguarded;

        // A guard, or another range of the same file, which has its own.
        bool IsEdge(int index, nuint address) => index >= 0 && index < all.Count
            && (all[index].Start == address || all[index].End == address)
            && (all[index].Path == path || all[index].Access == Inaccessible);
    }

    private static List<MappedRange> All() => [.. File.ReadLines("/proc/self/maps").Select(Parse)];

    private static MappedRange Parse(string line)
    {
        string[] words = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        string[] range = words[0].Split('-');
        return new MappedRange(
            nuint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            nuint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            words[1],
            long.Parse(words[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            words.Length > 5 ? words[5].Trim() : "");
    }
}
