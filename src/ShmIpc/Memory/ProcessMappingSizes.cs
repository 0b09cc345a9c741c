using System.Globalization;
using System.Text;

namespace ShmIpc.Memory;

/// <summary>What the kernel says in <c>smaps</c> about the pages of a mapping, or in <c>smaps_rollup</c> about those of a whole process:
/// sizes in bytes; null what this kernel does not say.</summary>
public sealed class ProcessMappingSizes
{
    private const int LongestLine = 512;

    internal ProcessMappingSizes()
    {
    }

    /// <summary><c>Rss</c>: the pages that are in memory.</summary>
    public long? ResidentBytes { get; private set; }

    /// <summary><c>Pss</c>: the same, a page that several processes have divided among them.</summary>
    public long? ProportionalBytes { get; private set; }

    /// <summary><c>Shared_Clean</c>: pages that others have mapped too, and nobody has changed.</summary>
    public long? SharedCleanBytes { get; private set; }

    /// <summary><c>Shared_Dirty</c>: pages that others have mapped too, and that were written to.</summary>
    public long? SharedDirtyBytes { get; private set; }

    /// <summary><c>Private_Clean</c>: pages that this process alone has mapped, unchanged.</summary>
    public long? PrivateCleanBytes { get; private set; }

    /// <summary><c>Private_Dirty</c>: pages that this process alone has mapped, written to.</summary>
    public long? PrivateDirtyBytes { get; private set; }

    /// <summary><c>Anonymous</c>: pages of no file, copies that were made at a write to a private file mapping among them.</summary>
    public long? AnonymousBytes { get; private set; }

    /// <summary><c>AnonHugePages</c>: anonymous memory in transparent huge pages.</summary>
    public long? AnonymousHugePageBytes { get; private set; }

    /// <summary><c>ShmemPmdMapped</c>: shared memory (tmpfs, memfd) in transparent huge pages.</summary>
    public long? SharedMemoryHugePageBytes { get; private set; }

    /// <summary><c>FilePmdMapped</c>: pages of files in transparent huge pages.</summary>
    public long? FileHugePageBytes { get; private set; }

    /// <summary><c>Shared_Hugetlb</c>: pages of a huge page pool that others have mapped too. They count as resident nowhere
    /// else.</summary>
    public long? SharedPoolPageBytes { get; private set; }

    /// <summary><c>Private_Hugetlb</c>: pages of a huge page pool that this process alone has mapped.</summary>
    public long? PrivatePoolPageBytes { get; private set; }

    /// <summary><c>Swap</c>: anonymous pages that are in swap.</summary>
    public long? SwapBytes { get; private set; }

    /// <summary><c>Locked</c>: pages that are locked in memory; like <c>Pss</c>, shared ones in part.</summary>
    public long? LockedBytes { get; private set; }

    /// <summary><c>KernelPageSize</c>: the page size of the mapping, that of the pool where it has pages of one. Null for a whole
    /// process.</summary>
    public long? KernelPageSizeBytes { get; private set; }

    /// <summary><c>MMUPageSize</c>: the page size that the processor uses for it, apart from transparent huge pages. Null for a whole
    /// process.</summary>
    public long? ProcessorPageSizeBytes { get; private set; }

    /// <summary><c>VmFlags</c>: the kernel's two-letter flags, such as <c>lo</c> locked, <c>dd</c> not in core dumps, <c>dc</c> not in
    /// forked children,
    /// <c>wf</c> wiped there, <c>hg</c> huge pages advised, <c>nh</c> advised against, <c>ht</c> of a huge page pool. Empty where it does
    /// not say.</summary>
    public IReadOnlyList<string> VmFlags { get; private set; } = [];

    /// <summary>Takes a line such as <c>Rss:    1688 kB</c>; one that it does not know is left alone.</summary>
    internal void Take(ReadOnlySpan<byte> line)
    {
        if (line.Length > LongestLine) return;
        Span<char> buffer = stackalloc char[LongestLine];
        ReadOnlySpan<char> text = buffer[..Encoding.ASCII.GetChars(line, buffer)];
        var colon = text.IndexOf(':');
        if (colon < 0) return;
        var value = text[(colon + 1)..].Trim();
        if (text[..colon] is "VmFlags")
        {
            VmFlags = value.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }
        else if (value.EndsWith(" kB")
            && long.TryParse(value[..^3], NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes)
            && kibibytes <= long.MaxValue / 1024)
        {
            Set(text[..colon], 1024 * kibibytes);
        }
    }

    private void Set(ReadOnlySpan<char> name, long bytes)
    {
        switch (name)
        {
            case "Rss": ResidentBytes = bytes; break;
            case "Pss": ProportionalBytes = bytes; break;
            case "Shared_Clean": SharedCleanBytes = bytes; break;
            case "Shared_Dirty": SharedDirtyBytes = bytes; break;
            case "Private_Clean": PrivateCleanBytes = bytes; break;
            case "Private_Dirty": PrivateDirtyBytes = bytes; break;
            case "Anonymous": AnonymousBytes = bytes; break;
            case "AnonHugePages": AnonymousHugePageBytes = bytes; break;
            case "ShmemPmdMapped": SharedMemoryHugePageBytes = bytes; break;
            case "FilePmdMapped": FileHugePageBytes = bytes; break;
            case "Shared_Hugetlb": SharedPoolPageBytes = bytes; break;
            case "Private_Hugetlb": PrivatePoolPageBytes = bytes; break;
            case "Swap": SwapBytes = bytes; break;
            case "Locked": LockedBytes = bytes; break;
            case "KernelPageSize": KernelPageSizeBytes = bytes; break;
            case "MMUPageSize": ProcessorPageSizeBytes = bytes; break;
            default: break; // the kernel has more to say every other year
        }
    }
}
