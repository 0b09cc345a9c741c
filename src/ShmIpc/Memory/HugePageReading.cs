// What smaps says about the pages of a range of this process.

using System.Globalization;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <param name="PageBytes">The size of the pages (KernelPageSize), the largest in the range.</param>
/// <param name="HugeBytes">Bytes in huge pages, of a pool or transparent.</param>
/// <param name="PresentBytes">Bytes that are in memory.</param>
internal readonly record struct HugePageReading(long PageBytes, long HugeBytes, long PresentBytes)
{
    public static HugePageReading Of(nint start, nint end)
    {
        var (pageBytes, hugeBytes, presentBytes, overlapBytes) = (LinuxProcess.PageSizeBytes, 0L, 0L, 0L);
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            var name = line.AsSpan(0, line.IndexOf(' ', StringComparison.Ordinal));
            if (name[^1] != ':')
            {
                var dash = name.IndexOf('-');
                var from = nint.Parse(name[..dash], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                var to = nint.Parse(name[(dash + 1)..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                overlapBytes = Math.Max(0, Math.Min(to, end) - Math.Max(from, start));
                if (from >= end) break;
            }
            else if (overlapBytes > 0 && line.EndsWith(" kB", StringComparison.Ordinal))
            {
                var bytes = 1024 * long.Parse(line.AsSpan()[name.Length..^" kB".Length], CultureInfo.InvariantCulture);
                var inside = Math.Min(bytes, overlapBytes); // a neighbour that is alike is in the same entry
                if (name is "KernelPageSize:") pageBytes = Math.Max(pageBytes, bytes);
                else if (name is "Rss:") presentBytes += inside;
                else if (name is "AnonHugePages:" or "ShmemPmdMapped:" or "FilePmdMapped:") hugeBytes += inside;
                else if (name is "Shared_Hugetlb:" or "Private_Hugetlb:") (hugeBytes, presentBytes) = (hugeBytes + inside, presentBytes + inside);
            }
        }

        return new HugePageReading(pageBytes, hugeBytes, presentBytes);
    }
}
