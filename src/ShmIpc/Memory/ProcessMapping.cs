using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>One range of a process's address space, as the kernel lists it in <c>/proc/PID/maps</c>. Neighbours that are alike are one
/// range.</summary>
public sealed class ProcessMapping
{
    private const string DeletedSuffix = " (deleted)";

    internal ProcessMapping(MapsLine line, bool withSizes)
    {
        (Start, End) = ((nint)line.Start, (nint)line.End);
        Permissions = line.Permissions;
        Offset = line.Offset;
        (DeviceMajor, DeviceMinor, Inode) = ((int)line.DeviceMajor, (int)line.DeviceMinor, line.Inode);
        IsDeleted = line.Name.EndsWith(DeletedSuffix, StringComparison.Ordinal);
        var name = IsDeleted ? line.Name[..^DeletedSuffix.Length] : line.Name;
        Path = name.Length == 0 ? null : name.Replace("\\012", "\n", StringComparison.Ordinal);
        Sizes = withSizes ? new ProcessMappingSizes() : null;
    }

    /// <summary>The first address.</summary>
    public nint Start { get; }

    /// <summary>The address behind the last.</summary>
    public nint End { get; }

    /// <summary>How many bytes of address space it takes.</summary>
    public long LengthBytes => End - Start;

    /// <summary>The kernel's four letters, such as <c>rw-s</c>.</summary>
    public string Permissions { get; }

    /// <summary>Whether it may be read.</summary>
    public bool IsReadable => Permissions[0] == 'r';

    /// <summary>Whether it may be written to.</summary>
    public bool IsWritable => Permissions[1] == 'w';

    /// <summary>Whether it may be executed.</summary>
    public bool IsExecutable => Permissions[2] == 'x';

    /// <summary>Whether it is shared; a private one has copies of the pages that were written to.</summary>
    public bool IsShared => Permissions[3] == 's';

    /// <summary>Where in the file it begins, in bytes.</summary>
    public long Offset { get; }

    /// <summary>The major number of the device that holds the file; 0 for memory, and for file systems without a device.</summary>
    public int DeviceMajor { get; }

    /// <summary>The minor number of the device that holds the file.</summary>
    public int DeviceMinor { get; }

    /// <summary>The number of the file in its file system; 0 for none.</summary>
    public long Inode { get; }

    /// <summary>The file, or what else the kernel calls it (<c>[heap]</c>, <c>[stack]</c>, <c>[anon:name]</c>, <c>/memfd:name</c>); null
    /// for memory without a name. A line break in it, which the kernel writes as <c>\012</c>, is one again: a file that has these four
    /// characters in its name looks the same.</summary>
    public string? Path { get; }

    /// <summary>Whether the file has lost its name, or never had one (a memfd): the kernel says <c>(deleted)</c> behind it, which a file
    /// could also be called.</summary>
    public bool IsDeleted { get; }

    /// <summary>What <c>smaps</c> says; null when it was not asked for.</summary>
    public ProcessMappingSizes? Sizes { get; }

    /// <summary>Whether an address lies in it.</summary>
    /// <param name="address">The address.</param>
    public bool Contains(nint address) => (nuint)address >= (nuint)Start && (nuint)address < (nuint)End;

    /// <summary>As the kernel writes it.</summary>
    public override string ToString() =>
        $"{Start:x}-{End:x} {Permissions} {Offset:x8} {DeviceMajor:x2}:{DeviceMinor:x2} {Inode} " +
        $"{Path}{(IsDeleted ? DeletedSuffix : "")}".TrimEnd();
}
