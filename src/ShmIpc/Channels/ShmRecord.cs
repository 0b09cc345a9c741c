using ShmIpc.Memory;

namespace ShmIpc.Channels;

/// <summary>One message, where it stands in shared memory: no copy was made.</summary>
/// <remarks>Valid until the consumer's next read, its <c>Release</c>, or its disposal; copy what must live longer.</remarks>
public readonly ref struct ShmRecord
{
    internal ShmRecord(ReadOnlySpan<byte> payload, int lane, long position, long sequence, int deliveryCount)
    {
        Payload = payload;
        Lane = lane;
        Position = position;
        Sequence = sequence;
        DeliveryCount = deliveryCount;
    }

    /// <summary>The message's bytes, in read-only shared memory.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The lane it came from. One producer writes a lane at a time; order is kept within a lane only.</summary>
    public int Lane { get; }

    /// <summary>Its position in the lane, in bytes since the lane was created.</summary>
    public long Position { get; }

    /// <summary>Its number in the lane, from 0. Numbers of a lane have no gaps, also when another producer took the lane over.</summary>
    public long Sequence { get; }

    /// <summary>How often it was handed out to a member of the group, this time included: 1, unless a member died, or left, before it
    /// acknowledged. In a shared group it stays at 7; in an exclusive one it also counts messages that the dead member may not have seen
    /// any more.</summary>
    public int DeliveryCount { get; }

    /// <summary>Copies the message's bytes out. For short messages faster than <c>Payload.CopyTo</c>: it is made for memory that another
    /// processor has just written.</summary>
    /// <param name="destination">At least as long as <see cref="Payload"/>; the rest stays as it is.</param>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public void CopyTo(Span<byte> destination) => ShortCopy.Copy(Payload, destination);
}
