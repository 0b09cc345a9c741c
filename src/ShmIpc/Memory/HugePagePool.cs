using System.Globalization;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>The machine's pool of huge pages of one size (<c>/sys/kernel/mm/hugepages</c>).</summary>
/// <param name="PageSizeBytes">The size of a page.</param>
/// <param name="Total">How many pages there are (<c>nr_hugepages</c>).</param>
/// <param name="Free">How many of them nobody has touched.</param>
/// <param name="Reserved">How many of the free ones are promised to mappings that exist.</param>
/// <param name="Surplus">How many there are beyond what the pool was set to.</param>
/// <param name="MostSurplus">How many such there may be (<c>nr_overcommit_hugepages</c>): the kernel makes them when they are asked for, if
/// it can.</param>
public sealed record HugePagePool(long PageSizeBytes, long Total, long Free, long Reserved, long Surplus, long MostSurplus)
{
    /// <summary>The free pages that are promised to nobody.</summary>
    public long Available => Math.Max(0, Free - Reserved);

    internal static IReadOnlyList<HugePagePool> ReadAll(string root)
    {
        const string Prefix = "hugepages-";
        const string Suffix = "kB";
        try
        {
            return
            [
                .. from pool in Directory.GetDirectories(Path.Combine(root, "sys/kernel/mm/hugepages"), Prefix + "*" + Suffix)
                   let size = Path.GetFileName(pool)[Prefix.Length..^Suffix.Length]
                   where long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                   let pages = long.Parse(size, CultureInfo.InvariantCulture)
                   orderby pages
                   select new HugePagePool(
                       1024 * pages, Count(pool, "nr_hugepages"), Count(pool, "free_hugepages"), Count(pool, "resv_hugepages"),
                       Count(pool, "surplus_hugepages"), Count(pool, "nr_overcommit_hugepages")),
            ];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // a kernel without huge pages, or a sandbox without /sys
        }

        static long Count(string pool, string name) => KernelFile.Number(Path.Combine(pool, name)) ?? 0;
    }
}
