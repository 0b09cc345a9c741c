namespace ShmIpc.Channels;

/// <summary>A message, and what is known of its delivery. Acknowledge it when its work is done
/// (<see cref="AcknowledgeMode.Manual"/>).</summary>
/// <typeparam name="T">The message type.</typeparam>
public readonly struct Delivery<T>
{
    private readonly Consumer<T>? _consumer;
    private readonly long _position;

    internal Delivery(Consumer<T> consumer, T message, int lane, long position, long sequence, int deliveryCount)
    {
        _consumer = consumer;
        _position = position;
        Message = message;
        Lane = lane;
        Sequence = sequence;
        DeliveryCount = deliveryCount;
    }

    /// <summary>The message; an object of its own, it stays valid.</summary>
    public T Message { get; }

    /// <summary>How often it was handed out to a member of the group, this time included: 1, unless a member died, or left, before it
    /// acknowledged. In a shared group it stays at 7; in an exclusive one it also counts messages that the dead member may not have seen
    /// any more.</summary>
    public int DeliveryCount { get; }

    /// <summary>The lane it came from. One producer writes a lane at a time; order is kept within a lane only.</summary>
    public int Lane { get; }

    /// <summary>Its number in the lane, from 0.</summary>
    public long Sequence { get; }

    /// <summary>Says that the message was finished with: it is not delivered again. Does nothing the second time.</summary>
    /// <exception cref="ObjectDisposedException">The consumer was disposed; the message goes to another member.</exception>
    public void Acknowledge() => _consumer?.Acknowledge(Lane, _position);
}
