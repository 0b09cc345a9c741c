// One line of /proc/self/maps: a range of addresses and the part of a file that lies there.

using System.Globalization;

namespace ShmIpc.Interop;

/// <param name="Start">The first address.</param>
/// <param name="End">The address behind the last.</param>
/// <param name="FileOffset">The first byte of the file that is mapped.</param>
/// <param name="File">The file's device and inode as the kernel writes them there; <c>00:00 0</c> for no file.</param>
internal readonly record struct MappedRange(nint Start, nint End, long FileOffset, string File)
{
    /// <summary>The byte of the file behind the last one that is mapped.</summary>
    public long FileEnd => FileOffset + (End - Start);

    /// <summary>Everything that this process has mapped now.</summary>
    public static IReadOnlyList<MappedRange> List() => [.. System.IO.File.ReadLines("/proc/self/maps").Select(Parse)];

    // "7f25a6a00000-7f25a6a22000 r--s 00001000 fe:00 528413      /tmp/file"
    private static MappedRange Parse(string line)
    {
        var fields = line.Split(' ', 6);
        var ends = fields[0].Split('-');
        return new MappedRange((nint)Hex(ends[0]), (nint)Hex(ends[1]), Hex(fields[2]), $"{fields[3]} {fields[4]}");
    }

    private static long Hex(string text) => (long)ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
