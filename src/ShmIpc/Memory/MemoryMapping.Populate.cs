// Pages that are brought in before anybody touches them, so that what there is no room for is an exception and never a fault.

using ShmIpc.Interop;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    // Transparent huge pages that are required must be there to be seen.
    private static bool IsPopulated(MemoryMappingOptions options) =>
        options.Populate || options.HugePages is { Size: HugePageSize.Transparent, IsRequired: true };

    // Reading suffices for a shared file, whose space is taken; what is private is copied or created only by writing.
    private void Populate()
    {
        if (Access == MemoryAccess.None) return;
        var writes = Access == MemoryAccess.ReadWrite && (Sharing == MappingSharing.Private || !_isFile);
        RequireRoom((nint)_start, _insideBytes, writes);
        if (TryPopulate((nint)_start, _insideBytes, writes ? MADV_POPULATE_WRITE : MADV_POPULATE_READ, out var failure)) return;
        if (failure == EFAULT && IsOfPool) throw PoolExhausted(_insideBytes);
        if (failure == EFAULT || failure == ENOMEM)
        {
            throw new ShmNoSpaceException(
                $"The machine has no room for the {_insideBytes} bytes that were to be populated: map less, or without Populate.",
                _insideBytes,
                availableBytes: -1);
        }

        if (failure != EINVAL /* before 5.14 */ || IsOfPool)
        {
            throw LinuxError.ToException(
                failure, "madvise", $"length {_insideBytes}, populate", request: RequestOf((nint)_start, _insideBytes));
        }

        for (long at = 0; at < _insideBytes; at += LinuxProcess.PageSizeBytes)
        {
            var value = ((byte*)_start)[at];
            if (writes) ((byte*)_start)[at] = value;
        }
    }

    // A private page that is written is one that the mapping takes for itself; all others are there already, can be given up, or come from
    // a pool.
    private void RequireRoom(nint start, long bytes, bool writes)
    {
        if (!writes || Sharing == MappingSharing.Shared || IsOfPool) return;
        if (LinuxMemory.ShortageFor(new PageRange(start, bytes, PagesThere.Own)) is { } refusal) throw refusal;
    }

    private static void Fill(nint start, long mappedBytes, bool isOfPool)
    {
        if (TryPopulate(start, mappedBytes, MADV_POPULATE_WRITE, out var failure)) return;
        if (failure == EFAULT && isOfPool) throw PoolExhausted(mappedBytes);
        if (failure != EINVAL || isOfPool)
        {
            throw LinuxError.ToException(
                failure,
                "madvise",
                $"length {mappedBytes}, MADV_POPULATE_WRITE",
                failure == EINVAL ? "Huge pages of a pool need Linux 5.14: before it, a touch might end the process." : null,
                new MemoryRequest { Address = start, LengthBytes = mappedBytes });
        }

        for (long at = 0; at < mappedBytes; at += LinuxProcess.PageSizeBytes) ((byte*)start)[at] = 0; // a kernel before 5.14
    }

    private static bool TryPopulate(nint start, long mappedBytes, int advice, out int failure)
    {
        do
        {
            failure = madvise((void*)start, Size(mappedBytes), advice) == 0 ? 0 : errno;
        }
        while (failure == EINTR); // EAGAIN may stay for good: where a mapping would have to be split, and there are too many
        return failure == 0;
    }
}
