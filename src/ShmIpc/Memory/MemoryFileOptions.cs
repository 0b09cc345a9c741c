namespace ShmIpc.Memory;

/// <summary>How a <see cref="MemoryFile"/> is made.</summary>
public sealed class MemoryFileOptions
{
    /// <summary>The seals that it has from the start. Default: <see cref="MemorySeals.Shrink"/>, so that nobody who receives it can end the
    /// others by truncating it.</summary>
    public MemorySeals Seals { get; init; } = MemorySeals.Shrink;
}
