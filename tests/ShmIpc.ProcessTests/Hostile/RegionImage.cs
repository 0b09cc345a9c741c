// A region's file as one piece of writable memory, as any process of the same user can map it: what a hostile peer writes to, and what a
// round of a test is put back to. It attaches to nothing and holds no lock.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class RegionImage : IDisposable
{
    private readonly MemoryMapping _mapping;
    private readonly byte[] _before;

    /// <param name="path">A sound region.</param>
    public RegionImage(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        long lengthBytes = RandomAccess.GetLength(file);
        Header = RegionHeader.Read(file, lengthBytes, path);
        _mapping = MemoryMapping.MapFile(file, 0, lengthBytes);
        _before = _mapping.GetReadOnlySpan(0, (int)lengthBytes).ToArray();
    }

    public RegionHeader Header { get; }

    public MappedSpan Bytes => _mapping.Whole;

    /// <summary>Puts back what stood there when the image was made.</summary>
    public void Restore() => _before.CopyTo(_mapping.GetSpan(0, _before.Length));

    /// <summary>Puts back what is read when somebody opens the region.</summary>
    public void RestoreHeader() => _before.AsSpan(0, RegionLayout.HeaderBytes).CopyTo(_mapping.GetSpan(0, RegionLayout.HeaderBytes));

    public void Dispose() => _mapping.Dispose();
}
