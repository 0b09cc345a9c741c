using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Regions;

/// <summary>The disk behind the file system, as the kernel offers it.</summary>
internal sealed class KernelDisk : IRegionDisk
{
    public static KernelDisk Instance { get; } = new();

    public void Flush(MemoryMapping mapping, long fileOffset, long offset, long lengthBytes) =>
        mapping.FlushReferenced(offset, lengthBytes);

    public void SyncName(RegionFile region)
    {
        using SafeFileHandle directory = LinuxFile.OpenDirectory(Path.GetDirectoryName(region.Header.Path)!);
        LinuxFile.Sync(directory);
    }
}
