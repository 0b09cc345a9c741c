namespace ShmIpc.Memory;

/// <summary>How a <see cref="MemoryFile"/> is made.</summary>
public sealed class MemoryFileOptions
{
    /// <summary>The seals that it has from the start. Default: <see cref="MemorySeals.Shrink"/>, so that nobody who receives it can end the
    /// others by truncating it.</summary>
    public MemorySeals Seals { get; init; } = MemorySeals.Shrink;

    /// <summary>Huge pages of a pool (<c>MFD_HUGETLB</c>): its length is then rounded up to whole ones, which are taken at once. What was
    /// granted <see cref="MemoryFile.HugePages"/> says. Default: null, for ordinary pages.</summary>
    public HugePages? HugePages { get; init; }
}
