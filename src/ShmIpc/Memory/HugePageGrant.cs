namespace ShmIpc.Memory;

/// <summary>What came of a request for huge pages, as the kernel said it at one moment. Pages of a pool stay; transparent ones the kernel
/// may make or split at any time.</summary>
public sealed class HugePageGrant
{
    internal HugePageGrant()
    {
    }

    /// <summary>What was asked for; null for nothing.</summary>
    public HugePages? Requested { get; internal init; }

    /// <summary>Whether it was granted: all pages are of the size that was asked for, or, for transparent ones, every part of the memory
    /// that could be a huge page is one. Where nothing was asked for: whether the pages are huge all the same, those of a
    /// hugetlbfs.</summary>
    public bool IsGranted { get; internal init; }

    /// <summary>The size of the pages in bytes: that of the pool where they are from one, and that of ordinary pages otherwise, also where
    /// transparent huge pages are made of these (<c>KernelPageSize</c>).</summary>
    public long PageSizeBytes { get; internal init; }

    /// <summary>How many bytes lie in huge pages, transparent or of a pool. Memory that nobody touched lies in none.</summary>
    public long HugeBytes { get; internal init; }

    /// <summary>Why it was not granted; null when it was.</summary>
    public string? Reason { get; internal init; }

    /// <summary>What to do about it; null when nothing is known that helps, or the reason says it.</summary>
    public string? Cure { get; internal init; }

    /// <summary>All of it in a line.</summary>
    public override string ToString()
    {
        var granted = $"{HugeBytes} bytes in huge pages, page size {PageSizeBytes} bytes";
        if (Requested is null) return granted;
        return IsGranted ? $"{Requested}: granted, {granted}." : $"{Requested}: not granted, {granted}. {Reason} {Cure}".TrimEnd();
    }
}
