// A disk that is never waited for: where a hundred thousand files are opened, what the kernel makes durable is beside the point.

using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class UntouchedDisk : IRegionDisk
{
    public static readonly UntouchedDisk Instance = new();

    public void Flush(MemoryMapping mapping, long fileOffset, long offset, long lengthBytes)
    {
        _ = mapping.Whole.Slice(offset, lengthBytes); // as the kernel: in bounds
    }

    public void SyncName(RegionFile region)
    {
    }
}
