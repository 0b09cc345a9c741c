using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ShmIpc.Rings;
using ShmIpc.Serialization;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

/// <summary>Receives messages of type <typeparamref name="T"/>: every one that is published while it exists, starting with the oldest that
/// is still there; or, in a named group, its part of what the group gets (<see cref="ConsumerOptions"/>).</summary>
/// <typeparam name="T">The message type.</typeparam>
/// <remarks>Code that reads from a <see cref="ChannelReader{T}"/> works with it unchanged. Any number of threads may use it; each message
/// goes to one of them. Until it is disposed (or its process ends) producers wait for it rather than overwrite what it has not
/// read.</remarks>
public sealed class Consumer<T> : ChannelReader<T>, IShmConsumer
{
    private readonly ChannelConsumer _core;
    private readonly IPayloadSerializer<T> _serializer;
    private readonly string _channelName;

    internal Consumer(ChannelConsumer core, IPayloadSerializer<T> serializer, string channelName)
    {
        _core = core;
        _serializer = serializer;
        _channelName = channelName;
    }

    /// <summary>Name of its group; null when it is a group of its own.</summary>
    public string? Group => _core.Group;

    /// <summary>False while another member of an exclusive group reads, and this one stands by.</summary>
    public bool IsActive => _core.IsActive;

    /// <summary>True: <see cref="Count"/> is supported.</summary>
    public override bool CanCount => true;

    /// <summary>Messages that are there and not yet read, exact at the instant of the look (at most <see cref="int.MaxValue"/>).</summary>
    public override int Count => (int)Math.Min(_core.Count(), int.MaxValue);

    /// <summary>Messages that were overwritten before this consumer could read them, counted where it reads now: what it has read, what it
    /// has lost and what it can still read are together what was published since it joined.</summary>
    /// <remarks>Only an observer, and a consumer of a channel that is <see cref="ShmFullMode.DropOldest"/>, loses messages. A stand-by that
    /// takes over counts from where it took over.</remarks>
    public long LostMessages => _core.LostMessages();

    /// <summary>Done when a read or a wait found that there will be no more messages; faulted with <see cref="ShmRemoteException"/> when
    /// a producer completed with an error.</summary>
    public override Task Completion => _core.Completion;

    ChannelConsumer IShmConsumer.Core => _core;

    /// <summary>Takes the next message. False when there is none now.</summary>
    /// <param name="item">The message.</param>
    /// <exception cref="ShmPayloadException">The message could not be decoded; it is skipped, the next call continues behind
    /// it.</exception>
    /// <exception cref="ShmCorruptionException">A peer damaged a lane; thrown once, reading goes on with the other lanes.</exception>
    /// <exception cref="ShmEvictedException">The channel has an <see cref="ShmChannelOptions.EvictAfter"/>, and this consumer exceeded
    /// it.</exception>
    /// <exception cref="ObjectDisposedException">The consumer was disposed.</exception>
    public override bool TryRead([MaybeNullWhen(false)] out T item)
    {
        _core.Gate.Enter();
        try
        {
            if (!_core.TryRead(out LaneRecord record))
            {
                item = default;
                return false;
            }

            item = Decode(record);
            return true;
        }
        finally
        {
            _core.Gate.Exit();
        }
    }

    /// <summary>Takes the next message, and waits for it if there is none.</summary>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">No message came within <paramref name="timeout"/>.</exception>
    /// <exception cref="ChannelClosedException">There will be no more messages.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public T Read(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryRead(out T? item))
        {
            return item;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitOrThrow(deadline, cancellationToken);
        }
        while (!TryRead(out item) && _core.HasTimeOrThrow(deadline, cancellationToken));
        return item!;
    }

    /// <summary>Takes the next message together with what is known of its delivery. False when there is none now.</summary>
    /// <param name="delivery">The message.</param>
    /// <exception cref="InvalidOperationException">As many messages are in flight as the consumer's options allow.</exception>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public bool TryReceive(out Delivery<T> delivery)
    {
        _core.Gate.Enter();
        try
        {
            if (!_core.TryRead(out LaneRecord record))
            {
                delivery = default;
                return false;
            }

            delivery = new Delivery<T>(
                this, Decode(record), _core.Lane, record.Position, record.Sequence, _core.DeliveryCount(record));
            return true;
        }
        finally
        {
            _core.Gate.Exit();
        }
    }

    /// <summary>Takes the next message together with what is known of its delivery, and waits for it if there is none.</summary>
    /// <inheritdoc cref="Read"/>
    public Delivery<T> Receive(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        Deadline deadline = new(timeout);
        if (TryReceive(out Delivery<T> delivery))
        {
            return delivery;
        }

        do
        {
            _core.WaitOrThrow(deadline, cancellationToken);
        }
        while (!TryReceive(out delivery) && _core.HasTimeOrThrow(deadline, cancellationToken));
        return delivery;
    }

    /// <summary>All messages from now on, together with what is known of their delivery, until there will be no more.</summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="ShmRemoteException">A producer completed with an error.</exception>
    public async IAsyncEnumerable<Delivery<T>> ReceiveAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            while (TryReceive(out Delivery<T> delivery))
            {
                yield return delivery;
            }
        }
    }

    /// <summary>Says that everything that was read is finished with: it is not delivered again, and producers get its room. With
    /// <see cref="AcknowledgeMode.Auto"/> it gives back the room at once, and not only at the next read.</summary>
    /// <exception cref="ShmEvictedException">The channel has an <see cref="ShmChannelOptions.EvictAfter"/>, and this consumer exceeded
    /// it.</exception>
    /// <exception cref="ObjectDisposedException">The consumer was disposed.</exception>
    public void Acknowledge() => _core.Acknowledge();

    /// <summary>Waits until there is a message.</summary>
    /// <param name="timeout">Longest wait; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when none came in time, or when there will be none (then <see cref="Completion"/> is done).</returns>
    public bool WaitToRead(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _core.WaitToRead(new Deadline(timeout), cancellationToken);

    /// <summary>Awaits a message. False when there will be none.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) =>
        _core.WaitToReadAsync(cancellationToken);

    /// <summary>Leaves the channel. Producers no longer wait for this consumer. What it has read counts as acknowledged, except with
    /// <see cref="AcknowledgeMode.Manual"/>: then the other members of its group, or the next one of a durable group, get what it did not
    /// acknowledge.</summary>
    public void Dispose() => _core.Dispose();

    internal void Acknowledge(int lane, long position) => _core.Acknowledge(lane, position);

    private T Decode(in LaneRecord record)
    {
        try
        {
            return _serializer.Deserialize(_core.LaneMemory.Slice((int)record.PayloadIndex, record.PayloadBytes));
        }
        catch (Exception error)
        {
            _core.AcknowledgeInGate(_core.Lane, record.Position); // nobody else could decode it either
            throw new ShmPayloadException(
                $"Message {record.Sequence} of lane {_core.Lane} of channel {_channelName} ({record.PayloadBytes} bytes at position "
                + $"{record.Position}) "
                + $"is no {_serializer.Format}: {error.Message} It is skipped.",
                _core.Lane,
                record.Position,
                error);
        }
    }
}
