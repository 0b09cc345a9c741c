// Why there are not enough huge pages, read from where the kernel keeps its pools, and what an administrator can do about it.

namespace ShmIpc.Interop;

/// <param name="Reason">A sentence on what there is and what is needed.</param>
/// <param name="Cure">A sentence on what to do.</param>
/// <param name="AvailableBytes">What the pool has left; null where that cannot be read, so that it may be enough after all.</param>
/// <param name="IsCertain">Whether there are too few, even if what is promised to somebody were promised to whoever asks: a file that
/// somebody has mapped already has promises of its own.</param>
internal sealed record HugePageShortage(string Reason, string Cure, long? AvailableBytes, bool IsCertain)
{
    private const string Pools = "sys/kernel/mm/hugepages/";

    /// <summary>Null when the pool has as many pages left as that takes.</summary>
    /// <param name="pageBytes">The size of a page.</param>
    /// <param name="lengthBytes">What is needed of them.</param>
    /// <param name="root">The root of the file system; another one for tests.</param>
    public static HugePageShortage? Find(long pageBytes, long lengthBytes, string root = "/")
    {
        var pool = $"{Path.Combine(root, Pools)}hugepages-{pageBytes >> 10}kB/";
        if (KernelFile.Number(pool + "nr_hugepages") is not { } total)
        {
            return new HugePageShortage(
                $"This kernel has no huge pages of {pageBytes} bytes.",
                $"Use a size that it has: `ls /{Pools}` shows them. Where 1 GiB is missing, the processor lacks it (its flag is " +
                "pdpe1gb), or the virtual machine was not given it.",
                AvailableBytes: null,
                IsCertain: false);
        }

        // Free pages may be promised to mappings that exist; and a pool may be allowed to grow by itself, if the memory can be had.
        var needed = Math.Max(1, lengthBytes / pageBytes + (lengthBytes % pageBytes > 0 ? 1 : 0));
        var unused = Count("free_hugepages");
        var free = Math.Max(0, unused - Count("resv_hugepages"));
        var growth = Math.Max(0, Count("nr_overcommit_hugepages") - Count("surplus_hugepages"));
        if (free + growth >= needed) return null;
        var target = total + needed - free;
        var isDefault = KernelFile.KibibyteField(KernelFile.Text("/proc/meminfo"), "Hugepagesize") == pageBytes;
        var command = isDefault ? $"sysctl vm.nr_hugepages={target}" : $"echo {target} > {pool}nr_hugepages";
        return new HugePageShortage(
            (needed == 1 ? $"1 huge page of {pageBytes} bytes is" : $"{needed} huge pages of {pageBytes} bytes are") +
            $" needed, and {free} are free and not reserved.",
            $"Enlarge the pool, as root: `{command}`; soon after the machine's start, because it takes memory in one piece.",
            free * pageBytes,
            IsCertain: unused + growth < needed);

        long Count(string name) => KernelFile.Number(pool + name) ?? 0;
    }
}
