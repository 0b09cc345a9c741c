// One line of /proc/PID/maps, which also begins each entry of smaps:
// "7f1c00000000-7f1c00021000 rw-s 00001000 00:1a 4711      /dev/shm/name (deleted)".

using System.Globalization;
using System.Text;

namespace ShmIpc.Interop;

internal readonly record struct MapsLine(
    nuint Start, nuint End, string Permissions, long Offset, uint DeviceMajor, uint DeviceMinor, long Inode, string Name)
{
    private const string Own = "/proc/self/maps";

    /// <summary>False for a line of another form, such as the details in smaps.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out MapsLine entry)
    {
        entry = default;
        if (!TryRange(ref line, out var start, out var end)) return false;
        var permissions = Next(ref line, ' ');
        if (permissions.Length != 4
            || !Hex(Next(ref line, ' '), out var offset)
            || !Hex(Next(ref line, ':'), out var major)
            || !Hex(Next(ref line, ' '), out var minor)
            || !long.TryParse(Next(ref line, ' '), NumberStyles.None, CultureInfo.InvariantCulture, out var inode))
        {
            return false;
        }

        entry = new MapsLine(
            start, end, Encoding.ASCII.GetString(permissions), (long)offset, (uint)major, (uint)minor, inode,
            Encoding.UTF8.GetString(line.TrimStart((byte)' ')));
        return true;
    }

    /// <summary>The first mapping of this process that has a byte of a range; null when there is none, or the file cannot be
    /// read.</summary>
    public static MapsLine? FirstIn(nuint start, nuint lengthBytes)
    {
        using var file = KernelFile.TryOpen(Own, out _);
        while (file is not null && file.TryReadLine(out var line))
        {
            var range = line;
            if (!TryRange(ref range, out var first, out var end) || end <= start) continue;
            return first - start < lengthBytes || first <= start ? TryParse(line, out var entry) ? entry : null : null;
        }

        return null;
    }

    /// <summary>The first address of a range at which this process has nothing mapped; null when all of it is, or the file cannot be
    /// read.</summary>
    public static nuint? FirstGapIn(nuint start, nuint lengthBytes)
    {
        using var file = KernelFile.TryOpen(Own, out _);
        if (file is null) return null;
        var at = start;
        while (file.TryReadLine(out var line))
        {
            if (!TryRange(ref line, out var first, out var end) || end <= at) continue;
            if (first > at) break;
            at = end;
            if (at - start >= lengthBytes) return null;
        }

        return file.Failure == 0 ? at : null;
    }

    private static bool TryRange(ref ReadOnlySpan<byte> line, out nuint start, out nuint end)
    {
        end = 0;
        return Hex(Next(ref line, '-'), out start) && Hex(Next(ref line, ' '), out end) && start < end;
    }

    private static bool Hex(ReadOnlySpan<byte> digits, out nuint value) =>
        nuint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    // What stands before a separator, which is taken away with it; everything where there is none.
    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> line, char separator)
    {
        var length = line.IndexOf((byte)separator);
        var word = length < 0 ? line : line[..length];
        line = length < 0 ? [] : line[(length + 1)..];
        return word;
    }
}
