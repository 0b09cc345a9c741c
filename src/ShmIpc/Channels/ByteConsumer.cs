using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

/// <summary>Reads messages as raw bytes, in place. By itself a consumer sees every message that is published while it exists, and starts
/// with the oldest that is still there; in a named group it gets its part of what the group gets (<see cref="ConsumerOptions"/>).</summary>
/// <remarks>Any number of threads may call it, but a record is valid only until the next read, so share one consumer between threads
/// only with <see cref="Consumer{T}"/>, or with a lock of your own. Reading allocates nothing.</remarks>
public sealed class ByteConsumer : IShmConsumer
{
    private readonly ChannelConsumer _core;
    private long _batches;
    private long _openBatch;

    internal ByteConsumer(ChannelConsumer core)
    {
        _core = core;
    }

    /// <summary>Name of its group; null when it is a group of its own.</summary>
    public string? Group => _core.Group;

    /// <summary>False while another member of an exclusive group reads, and this one stands by.</summary>
    public bool IsActive => _core.IsActive;

    /// <summary>Messages that are there and not yet read. Exact at the instant of the look.</summary>
    public long Count => _core.Count();

    /// <summary>Messages that were overwritten before this consumer could read them, counted where it reads now: what it has read, what it
    /// has lost and what it can still read are together what was published since it joined.</summary>
    /// <remarks>Only an observer, and a consumer of a channel that is <see cref="ShmFullMode.DropOldest"/>, loses messages. A stand-by that
    /// takes over counts from where it took over.</remarks>
    public long LostMessages => _core.LostMessages();

    /// <summary>Done when a read or a wait found that there will be no more messages; faulted with <see cref="ShmRemoteException"/> when
    /// a producer completed with an error.</summary>
    public Task Completion => _core.Completion;

    ChannelConsumer IShmConsumer.Core => _core;

    /// <summary>Takes the next message. Everything read before counts as finished with, except with
    /// <see cref="AcknowledgeMode.Manual"/>. False when there is none now.</summary>
    /// <param name="record">The message, in place; valid until the next read, <see cref="Release"/> or disposal.</param>
    /// <exception cref="ShmCorruptionException">A peer damaged the lane; thrown once, reading goes on with the other lanes.</exception>
    /// <exception cref="ShmEvictedException">The channel has an <see cref="ShmChannelOptions.EvictAfter"/>, and this consumer exceeded
    /// it.</exception>
    /// <exception cref="ObjectDisposedException">The consumer was disposed.</exception>
    public bool TryRead(out ShmRecord record)
    {
        _core.Gate.Enter();
        if (_core.TryStep(out LaneRecord found, out ReadOnlySpan<byte> payload))
        {
            record = new ShmRecord(payload, _core.LaneOfStep, found.Position, found.Sequence, 1);
            _core.Gate.Exit();
            return true;
        }

        return TryReadInGate(out record);
    }

    /// <summary>Takes the next message, and waits for it if there is none.</summary>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">No message came within <paramref name="timeout"/>.</exception>
    /// <exception cref="ChannelClosedException">There will be no more messages.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public ShmRecord Read(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        _core.Gate.Enter();
        if (_core.TryStep(out LaneRecord found, out ReadOnlySpan<byte> payload))
        {
            ShmRecord record = new(payload, _core.LaneOfStep, found.Position, found.Sequence, 1);
            _core.Gate.Exit();
            return record;
        }

        return ReadInGate(timeout, cancellationToken);
    }

    /// <summary>Takes the messages that one lane has now, in place, as one batch. Everything read before counts as finished with. False
    /// when there is none now. Where messages are copied (<see cref="ShmFullMode.DropOldest"/>,
    /// <see cref="ShmChannelOptions.EvictAfter"/>, observers) a batch has one.</summary>
    /// <param name="maxRecords">Most messages to take, at least 1.</param>
    /// <param name="batch">The messages; all of them stay valid, and their room stays taken, until it is released or disposed.</param>
    /// <exception cref="ShmCorruptionException">A peer damaged the lane; thrown once, reading goes on with the other lanes.</exception>
    /// <exception cref="InvalidOperationException">The consumer is in a shared group, or acknowledges by hand.</exception>
    /// <exception cref="ObjectDisposedException">The consumer was disposed.</exception>
    public bool TryReadBatch(int maxRecords, out RecordBatch batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRecords, 1);
        int count = 0;
        LaneRecord first;
        _core.Gate.Enter();
        try
        {
            count = _core.TryReadBatch(maxRecords, out first);
            if (count > 0)
            {
                _core.Gate.HoldForClaim();
            }
        }
        finally
        {
            if (count == 0)
            {
                _core.Gate.Exit();
            }
        }

        batch = count > 0 ? new RecordBatch(this, _openBatch = ++_batches, _core.Lane, first, count) : default;
        return count > 0;
    }

    /// <summary>Takes the messages that one lane has, in place, as one batch, and waits for the first if there is none.</summary>
    /// <param name="maxRecords">Most messages to take, at least 1.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="Read" path="/exception"/>
    /// <exception cref="InvalidOperationException">The consumer is in a shared group, or acknowledges by hand.</exception>
    public RecordBatch ReadBatch(int maxRecords, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryReadBatch(maxRecords, out RecordBatch batch))
        {
            return batch;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitOrThrow(deadline, cancellationToken);
        }
        while (!TryReadBatch(maxRecords, out batch) && _core.HasTimeOrThrow(deadline, cancellationToken));
        return batch;
    }

    /// <summary>Waits until there is a message.</summary>
    /// <param name="timeout">Longest wait; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when none came in time, or when there will be none (then <see cref="Completion"/> is done).</returns>
    public bool WaitToRead(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _core.WaitToRead(new Deadline(timeout), cancellationToken);

    /// <summary>Awaits a message. False when there will be none.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => _core.WaitToReadAsync(cancellationToken);

    /// <summary>Acknowledges everything that was read, the message in hand included, and gives its room back to the producers.</summary>
    /// <exception cref="ObjectDisposedException">The consumer was disposed.</exception>
    public void Release() => _core.Acknowledge();

    /// <summary>Acknowledges one message (<see cref="AcknowledgeMode.Manual"/>). Its record must not be used any more.</summary>
    /// <param name="record">A message that this consumer read; one that is acknowledged already is left alone.</param>
    /// <exception cref="ObjectDisposedException">The consumer was disposed.</exception>
    public void Acknowledge(in ShmRecord record) => _core.Acknowledge(record.Lane, record.Position);

    /// <summary>Leaves the channel. Producers no longer wait for this consumer. What it has read counts as acknowledged, except with
    /// <see cref="AcknowledgeMode.Manual"/>: then the other members of its group, or the next one of a durable group, get what it did not
    /// acknowledge.</summary>
    public void Dispose() => _core.Dispose();

    /// <summary>True for the batch that is open now. A batch can be copied, and its copies end with it.</summary>
    internal bool IsOpen(long batch) => batch == _openBatch;

    /// <summary>One message of the open batch, the position of the next, and how often it was handed out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ReadOnlySpan<byte> PayloadOfBatch(long position, long sequence, out long next, out int deliveryCount)
    {
        if (_core.Gate.IsUsable && _core.TryPayloadAt(position, sequence, out ReadOnlySpan<byte> payload, out next))
        {
            deliveryCount = 1;
            return payload;
        }

        return PayloadOfBatchLong(position, sequence, out next, out deliveryCount);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ReadOnlySpan<byte> PayloadOfBatchLong(long position, long sequence, out long next, out int deliveryCount)
    {
        _core.Gate.ThrowIfUnusable();
        LaneRecord found = _core.RecordOfBatch(position, sequence, out next);
        deliveryCount = _core.DeliveryCount(found);
        return _core.Payload(found);
    }

    /// <summary>Inside the gate, and leaves it: the long way of <see cref="Read"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ShmRecord ReadInGate(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (_core.TryStepSoon(out LaneRecord found, out ReadOnlySpan<byte> payload))
        {
            ShmRecord next = new(payload, _core.LaneOfStep, found.Position, found.Sequence, 1);
            _core.Gate.Exit();
            return next;
        }

        if (TryReadInGate(out ShmRecord record))
        {
            return record;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitOrThrow(deadline, cancellationToken);
        }
        while (!TryRead(out record) && _core.HasTimeOrThrow(deadline, cancellationToken));
        return record;
    }

    /// <summary>Inside the gate, and leaves it: the long way of <see cref="TryRead"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadInGate(out ShmRecord record)
    {
        try
        {
            if (_core.TryReadLong(out LaneRecord found))
            {
                record = new ShmRecord(_core.Payload(found), _core.Lane, found.Position, found.Sequence, _core.DeliveryCount(found));
                return true;
            }
        }
        finally
        {
            _core.Gate.Exit();
        }

        record = default;
        return false;
    }

    /// <summary>Ends the open batch.</summary>
    internal void EndBatch()
    {
        _openBatch = 0;
        try
        {
            _core.ReleaseBatch();
        }
        finally
        {
            _core.Gate.ExitClaim();
        }
    }
}
