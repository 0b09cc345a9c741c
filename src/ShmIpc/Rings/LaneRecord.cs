// Where one message stands in the mapped memory of its lane. Valid while the reader that produced it has not released it.

namespace ShmIpc.Rings;

internal readonly struct LaneRecord(long position, long sequence, long payloadIndex, int payloadBytes)
{
    public long Position { get; } = position;

    public long Sequence { get; } = sequence;

    /// <summary>Offset of the payload in the mirrored mapping.</summary>
    public long PayloadIndex { get; } = payloadIndex;

    public int PayloadBytes { get; } = payloadBytes;
}
