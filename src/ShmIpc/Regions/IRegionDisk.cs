// What makes ranges of a region's file durable. Outside tests the kernel does (KernelDisk); tests put a disk here that loses power.

using ShmIpc.Memory;

namespace ShmIpc.Regions;

internal interface IRegionDisk
{
    /// <summary>Returns when a range is durable.</summary>
    /// <param name="mapping">The memory that was written.</param>
    /// <param name="fileOffset">Where in the file the mapping starts.</param>
    /// <param name="offset">The first byte, from the start of the mapping; a mirrored mapping counts twice.</param>
    /// <param name="lengthBytes">How many bytes; their pages become durable whole.</param>
    /// <exception cref="ShmException">The disk refused.</exception>
    void Flush(MemoryMapping mapping, long fileOffset, long offset, long lengthBytes);

    /// <summary>Returns when the region's name is durable.</summary>
    void SyncName(RegionFile region);
}
