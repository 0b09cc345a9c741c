// A (position, sequence) pair that one process writes and any number read, never torn, and readable even when its writer died at
// any instruction: two buffers and a version that says which one is valid (a two-buffer sequence lock).
//
//    0  version u64      buffer of version v: (v & 1)
//    8  position u64, sequence u64   buffer 0
//   24  position u64, sequence u64   buffer 1
//
// Writer: fills the buffer that is not valid, then release-stores version + 1. Each of its stores is a release, so a reader that
// sees a store of round n + 2 in a buffer also sees version >= n + 1 when it looks again, and retries.
// Only the producer that owns the lane writes, so a dead writer leaves the older buffer valid and nobody ever waits.

using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal readonly struct PositionCell(MappedSpan cell)
{
    public const int Bytes = 40;
    private const int MaxReadAttempts = 10_000;
    private const int BufferBytes = 16;
    private readonly MappedSpan _cell = cell;

    public void Write(long position, long sequence)
    {
        ref ulong version = ref _cell.UInt64(0);
        ulong next = version + 1;
        long buffer = BufferOffset(next);
        Atomics.Release(ref _cell.UInt64(buffer), (ulong)position);
        Atomics.Release(ref _cell.UInt64(buffer + 8), (ulong)sequence);
        Atomics.Release(ref version, next); // SYNC: pair visible to readers of the cell
    }

    /// <summary>Reads the pair. Only a peer that scribbles over the cell without pause can make this fail, after a bounded number of
    /// attempts.</summary>
    public (long Position, long Sequence) Read()
    {
        for (int attempt = 0; attempt < MaxReadAttempts; attempt++)
        {
            ulong version = Atomics.Acquire(ref _cell.UInt64(0)); // SYNC: pair visible to readers of the cell
            long buffer = BufferOffset(version);
            ulong position = Atomics.Acquire(ref _cell.UInt64(buffer));
            ulong sequence = Atomics.Acquire(ref _cell.UInt64(buffer + 8));
            if (Atomics.Acquire(ref _cell.UInt64(0)) == version)
            {
                return ((long)position, (long)sequence);
            }
        }

        throw new ShmCorruptionException(
            $"A lane's position changed at every one of {MaxReadAttempts} attempts to read it; a peer is overwriting it.");
    }

    private static long BufferOffset(ulong version) => 8 + ((long)(version & 1) * BufferBytes);
}
