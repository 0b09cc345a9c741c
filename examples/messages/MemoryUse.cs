// The lines of /proc/meminfo that people look at.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>The memory of a machine, in bytes; 0 where the kernel does not tell.</summary>
/// <param name="TotalBytes">All memory the kernel manages.</param>
/// <param name="AvailableBytes">What a new program could get without swapping.</param>
/// <param name="CachedBytes">Page cache, which includes shared memory such as this library's.</param>
/// <param name="SharedBytes">The shared memory alone (<c>Shmem</c>).</param>
/// <param name="SwapTotalBytes">All swap space.</param>
/// <param name="SwapFreeBytes">Swap space not in use.</param>
[MessagePackObject]
public readonly record struct MemoryUse(
    [property: Key(0)] long TotalBytes,
    [property: Key(1)] long AvailableBytes,
    [property: Key(2)] long CachedBytes,
    [property: Key(3)] long SharedBytes,
    [property: Key(4)] long SwapTotalBytes,
    [property: Key(5)] long SwapFreeBytes);
