// Other lengths. The new mapping is there before the old one goes, so that a failure leaves everything as it was. Views on an old mapping
// stay good when the file grows. A shorter file would make their bytes a fault, so while anything in this process still shows what is to be
// cut off, the file is not shortened; the kernel's own list of mappings says whether something does. Nothing maps a file meanwhile
// (LengthLockOf).

using ShmIpc.Interop;

namespace ShmIpc.Memory;

public sealed partial class MappedFile
{
    /// <summary>Gives the file another length and maps it anew. What is new is zero, and its space is taken. Callbacks and searches that
    /// are running keep what they have.</summary>
    /// <param name="lengthBytes">How many bytes the file is to have. On a hugetlbfs it is rounded up to whole huge pages.</param>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative, or more than a process can address.</exception>
    /// <exception cref="InvalidOperationException">The file is to become shorter, and something in this process still shows what is to be
    /// cut off: a callback, a search, another mapping. Or the mapping is private.</exception>
    /// <exception cref="UnauthorizedAccessException">The file is mapped read-only, or the kernel forbids it.</exception>
    /// <exception cref="ShmNoSpaceException">The file system is full. The file keeps its length and its mapping.</exception>
    /// <exception cref="ShmException">Somebody else changed the length (<see cref="Refresh"/> maps what there is now), or the kernel
    /// refused.</exception>
    public void Resize(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        lock (_lock)
        {
            var before = Current()?.LengthBytes ?? 0;
            lengthBytes = LinuxFile.InWholePages(_file, lengthBytes);
            lock (MemoryMapping.LengthLockOf(_file))
            {
                CheckResizable(before);
                if (lengthBytes > before) Grow(before, lengthBytes);
                else if (lengthBytes < before) Shrink(before, lengthBytes);
            }
        }
    }

    /// <summary>Maps the file anew at the length that it has now, after somebody else changed it. Callbacks and searches that are running
    /// keep what they have.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="InvalidOperationException">The mapping is private: what was written to it would be lost.</exception>
    /// <exception cref="ShmNoSpaceException">The file has holes that are to be written, and the file system no room for them.</exception>
    /// <exception cref="ShmException">The kernel refused.</exception>
    public void Refresh()
    {
        lock (_lock)
        {
            var mapped = Current()?.LengthBytes ?? 0;
            CheckShared();
            var lengthBytes = LinuxFile.Status(_file).SizeBytes;
            if (lengthBytes != mapped) Replace(MapFirst(lengthBytes));
        }
    }

    private void Grow(long before, long lengthBytes)
    {
        try
        {
            Replace(MapFirst(lengthBytes));
        }
        catch
        {
            // A file system that became full half way has given some of it.
            if (LinuxFile.Status(_file).SizeBytes > before) LinuxFile.SetLength(_file, before);
            throw;
        }
    }

    private void Shrink(long before, long lengthBytes)
    {
        var shorter = MapFirst(lengthBytes);
        try
        {
            CheckNobodySees(before, lengthBytes, shorter);
            if (!_mapping!.TryUnmap())
            {
                throw new InvalidOperationException(
                    $"A callback or a search still has some of the {before} bytes of the file, or a scope of Writable or a lock does: " +
                    "shorten it when they have ended.");
            }
        }
        catch
        {
            shorter?.Dispose();
            throw;
        }

        _mapping = shorter;
        try
        {
            LinuxFile.SetLength(_file, lengthBytes);
        }
        catch
        {
            Replace(MapFirst(before));
            throw;
        }
    }

    private void Replace(MemoryMapping? mapping)
    {
        _mapping?.Dispose();
        _mapping = mapping;
    }

    private MemoryMapping? MapFirst(long lengthBytes) =>
        lengthBytes == 0 ? null : MemoryMapping.MapFile(_file, 0, lengthBytes, _options);

    private void CheckResizable(long mapped)
    {
        CheckShared();
        if (_options.Access != MemoryAccess.ReadWrite)
        {
            throw new UnauthorizedAccessException(
                $"The file was opened for {_options.Access}, and its length is to change: open it with MemoryAccess.ReadWrite.");
        }

        var actual = LinuxFile.Status(_file).SizeBytes;
        if (actual == mapped) return;
        throw new ShmException(
            $"The file has {actual} bytes now, and {mapped} are mapped: somebody else changed its length. Call Refresh, and decide anew.");
    }

    private void CheckShared()
    {
        if (_options.Sharing == MappingSharing.Shared) return;
        throw new InvalidOperationException(
            "What was written to a private mapping is nowhere else, and would be lost when the file is mapped anew: open it with " +
            "MappingSharing.Shared.");
    }

    // The file is known by what the kernel calls it in the line of our own mapping: on some file systems fstat has another name for the
    // device.
    private void CheckNobodySees(long before, long lengthBytes, MemoryMapping? shorter)
    {
        var all = ProcessMaps.Read();
        var own = all.Find(Start(_mapping!))!;
        var firstCutPage = (lengthBytes + LinuxProcess.PageSizeBytes - 1) & -LinuxProcess.PageSizeBytes;
        var others = all.Entries.Count(entry =>
            (entry.Inode, entry.DeviceMajor, entry.DeviceMinor) == (own.Inode, own.DeviceMajor, own.DeviceMinor)
            && entry.Offset + entry.LengthBytes > firstCutPage && !IsIn(entry, _mapping) && !IsIn(entry, shorter));
        if (others == 0) return;
        throw new InvalidOperationException(
            $"{others} other mapping(s) in this process still show some of bytes {lengthBytes} to {before} of the file, and a touch of " +
            "them would end the process: wait for the callbacks and searches that began before the file grew, and dispose whatever else " +
            "maps the file.");
    }

    private static bool IsIn(ProcessMapping entry, MemoryMapping? mapping) =>
        mapping is not null && entry.Start >= Start(mapping) && entry.Start < Start(mapping) + mapping.LengthBytes;

    private static nint Start(MemoryMapping mapping) => mapping.Whole.Start;
}
