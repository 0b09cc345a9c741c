// Why there are not enough huge pages, read from where the kernel keeps its pools, and what an administrator can do about it.

using System.Globalization;

namespace ShmIpc.Interop;

/// <param name="Reason">A sentence on what there is and what is needed.</param>
/// <param name="Cure">A sentence on what to do.</param>
/// <param name="AvailableBytes">What the pool has left.</param>
internal sealed record HugePageShortage(string Reason, string Cure, long AvailableBytes)
{
    private const string Pools = "/sys/kernel/mm/hugepages/";

    /// <summary>Null when the pool has as many pages left as that takes.</summary>
    /// <param name="pageBytes">The size of a page.</param>
    /// <param name="lengthBytes">What is needed of them.</param>
    public static HugePageShortage? Find(long pageBytes, long lengthBytes)
    {
        var kibibytes = pageBytes >> 10;
        var pool = string.Create(CultureInfo.InvariantCulture, $"{Pools}hugepages-{kibibytes}kB/");
        if (!Directory.Exists(pool))
        {
            return new HugePageShortage(
                $"This machine has no huge pages of {kibibytes} kB.",
                $"Use a size that it has: `ls {Pools}`. Where pages of 1 GiB are missing, the processor lacks them (flag pdpe1gb), or the " +
                "virtual machine was not given them.",
                0);
        }

        // Free pages may be promised to mappings that exist; and a pool may be allowed to grow by itself, if the memory can be had.
        var needed = lengthBytes / pageBytes + (lengthBytes % pageBytes > 0 ? 1 : 0);
        var total = Count(pool, "nr_hugepages");
        var free = Math.Max(0, Count(pool, "free_hugepages") - Count(pool, "resv_hugepages"));
        var growth = Math.Max(0, Count(pool, "nr_overcommit_hugepages") - Count(pool, "surplus_hugepages"));
        if (free + growth >= needed) return null;
        var target = total + needed - free;
        var command = pageBytes == DefaultPageBytes() ? $"sysctl vm.nr_hugepages={target}" : $"echo {target} > {pool}nr_hugepages";
        return new HugePageShortage(
            $"{needed} huge pages of {kibibytes} kB are needed, and of the {total} in the pool {free} are left.",
            $"Enlarge the pool, as root: `{command}`; early after the machine's start, because the kernel needs memory in one piece for it.",
            free * pageBytes);
    }

    // The size that vm.nr_hugepages counts.
    private static long DefaultPageBytes()
    {
        const string Field = "Hugepagesize:";
        var line = File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal));
        return line is null ? 0 : 1024 * long.Parse(line.AsSpan()[Field.Length..^"kB".Length], CultureInfo.InvariantCulture);
    }

    private static long Count(string pool, string name)
    {
        try
        {
            return long.Parse(File.ReadAllText(pool + name), CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
