namespace ShmIpc.Memory;

/// <summary>What <see cref="MemoryMapping.Flush(long, long, MemoryFlush)"/> promises when it returns.</summary>
public enum MemoryFlush
{
    /// <summary>What was changed is on the disk (<c>MS_SYNC</c>).</summary>
    Sync,

    /// <summary>Nothing (<c>MS_ASYNC</c>): the kernel writes in its own time, which on Linux it does without being asked. It costs next to
    /// nothing, and reports errors of the arguments only.</summary>
    Async,

    /// <summary>Other mappings of the file see it (<c>MS_INVALIDATE</c>). On Linux they always do on local file systems; there it only
    /// fails where the pages are locked.</summary>
    Invalidate,
}
