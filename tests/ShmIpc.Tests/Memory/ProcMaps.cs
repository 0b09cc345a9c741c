// /proc/self/maps as far as the tests ask: what the kernel says is mapped at an address.

using System.Globalization;

namespace ShmIpc.Tests.Memory;

internal static class ProcMaps
{
    /// <summary>The permissions at an address, such as <c>rw-s</c>; empty where nothing is mapped.</summary>
    public static string PermissionsAt(nint address)
    {
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var fields = line.Split(' ', 3);
            var dash = fields[0].IndexOf('-', StringComparison.Ordinal);
            var start = nint.Parse(fields[0].AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var end = nint.Parse(fields[0].AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (start <= address && address < end) return fields[1];
        }

        return "";
    }

    /// <summary>The same for pages in a row, all of them at one look.</summary>
    public static string[] PermissionsOf(nint start, int pages)
    {
        var permissions = Enumerable.Repeat("", pages).ToArray();
        foreach (var line in File.ReadAllLines("/proc/self/maps"))
        {
            var ends = line.Split(' ', 2)[0].Split('-').Select(end => Convert.ToInt64(end, 16)).ToArray();
            for (var page = 0; page < pages; page++)
            {
                var address = start + (long)page * Environment.SystemPageSize;
                if (ends[0] <= address && address < ends[1]) permissions[page] = line.Split(' ', 3)[1];
            }
        }

        return permissions;
    }

    /// <summary>The flags of what lies at an address, such as <c>rd wr mr</c>; empty where nothing is mapped.</summary>
    public static string[] FlagsAt(nint address)
    {
        var isInside = false;
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            var first = line.Split(' ')[0];
            if (!first.EndsWith(':'))
            {
                var ends = first.Split('-').Select(end => Convert.ToInt64(end, 16)).ToArray();
                isInside = ends[0] <= address && address < ends[1];
            }
            else if (isInside && first == "VmFlags:")
            {
                return line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            }
        }

        return [];
    }

    /// <summary>The line of what lies at an address; empty where nothing is mapped. Other threads may map something else at an address that
    /// has just become free: then its inode, or its borders, are others.</summary>
    public static string LineAt(nint address) => File.ReadLines("/proc/self/maps").FirstOrDefault(line =>
    {
        var ends = line.Split(' ', 2)[0].Split('-').Select(end => Convert.ToInt64(end, 16)).ToArray();
        return ends[0] <= address && address < ends[1];
    }) ?? "";

    public static int LineCount() => File.ReadLines("/proc/self/maps").Count();

    /// <summary>All address space in use, of which guard pages that merged into one line are part too.</summary>
    public static long AddressSpaceBytes() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[0], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    public static int DescriptorCount() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
}
