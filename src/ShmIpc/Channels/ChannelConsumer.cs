// What a consumer does, whatever it carries: hold a participant's stamp and a group, visit the lanes in turn, give room back, wait,
// notice completion, leave. ByteConsumer and Consumer<T> put bytes and objects on top.
//
// Acknowledgement is automatic: a message counts as finished with when the next one is asked for, so the cursor never passes the
// message in hand. A reader that sees a producer waiting gives back its room before it takes the next message.

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed class ChannelConsumer : IDisposable
{
    /// <summary>Messages taken from one lane before the next lane has its turn.</summary>
    private const int LaneBatch = 64;

    /// <summary>More messages than this since the last wait mean that the producer is streaming, not answering.</summary>
    private const int CatchUpMessages = 4;

    private readonly ChannelRegion _channel;
    private readonly Stamp _stamp;
    private readonly int _group = -1;
    private readonly (long Position, long Sequence)[] _starts;
    private readonly LaneReader?[] _readers;
    private readonly MemoryMapping?[] _data;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _lanes;
    private int _lane;
    private int _batchLeft;
    private LaneReader? _current;
    private long _sequenceAtWait;
    private Spinner _spinner;
    private MessageWaiter? _idleWaiter;

    public ChannelConsumer(ChannelRegion channel)
    {
        _channel = channel;
        Gate = new OperationGate(channel.Options.SingleReader, $"consumer of channel {channel.Name}");
        _spinner = new Spinner(channel.Options.WaitStrategy);
        int lanes = channel.Geometry.MaxProducers;
        _starts = new (long, long)[lanes];
        _readers = new LaneReader?[lanes];
        _data = new MemoryMapping?[lanes];
        channel.AddReference();
        try
        {
            channel.ThrowIfDeleted();
            _stamp = channel.Participants.Join(ParticipantRole.Consumer);
            _group = channel.Groups.Join(_stamp, _starts);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    public OperationGate Gate { get; }

    public Task Completion => _completion.Task;

    /// <summary>The lane that the last message came from.</summary>
    public int Lane => _lane;

    /// <summary>The reader of <see cref="Lane"/>.</summary>
    public LaneReader Current => _current!;

    /// <summary>The memory of <see cref="Lane"/>, mirrored.</summary>
    public ReadOnlyMemory<byte> CurrentMemory => _data[_lane]!.AsMemory();

    /// <summary>Inside the gate: steps over the next message of any lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(out LaneRecord record)
    {
        _current?.ReleaseIfDue(); // before the look at who is parked, so that whoever waits for this room is woken at once
        if (_channel.Writers.AnyParked)
        {
            ReleaseAndWake();
        }

        if (_batchLeft > 0 && _current!.TryRead(out record))
        {
            _batchLeft--;
            return true;
        }

        return TryReadNextLane(out record);
    }

    /// <summary>Inside the gate: gives back the room of everything that was read.</summary>
    public void ReleaseAndWake()
    {
        foreach (LaneReader? reader in _readers)
        {
            reader?.Release();
        }

        if (_channel.Writers.AnyParked)
        {
            _channel.WakeWriters();
        }
    }

    /// <summary>Messages that are there and not yet read, over all lanes. Exact at the instant of the look.</summary>
    public long Count()
    {
        Gate.Enter();
        try
        {
            MapNewLanes();
            long count = 0;
            for (int lane = 0; lane < _readers.Length; lane++)
            {
                count += _readers[lane] is { } reader ? reader.EndSequence(_channel.Lane(lane)) - reader.Sequence : 0;
            }

            return count;
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>Outside the gate: waits for a message. False when the time is over, or when there will be none (then <see cref="Completion"/> is done).</summary>
    public bool WaitToRead(Deadline deadline, CancellationToken cancellation)
    {
        if (HasNext(out bool hasCaughtUp))
        {
            return true;
        }

        cancellation.ThrowIfCancellationRequested();
        Spinner spinner = _spinner;
        spinner.Begin(hasCaughtUp);
        while (spinner.TrySpin())
        {
            if (HasNext(out _))
            {
                spinner.Succeeded();
                _spinner = spinner;
                return true;
            }

            if (spinner.IsTimeToCheck)
            {
                if (TryLook(out bool isReadable))
                {
                    return isReadable;
                }

                if (deadline.IsOver || cancellation.IsCancellationRequested)
                {
                    break;
                }
            }
        }

        spinner.Failed();
        _spinner = spinner;
        return Park(deadline, cancellation);
    }

    /// <summary>Outside the gate: waits for a message, or says why there is none.</summary>
    public void WaitOrThrow(Deadline deadline, CancellationToken cancellation)
    {
        if (WaitToRead(deadline, cancellation))
        {
            return;
        }

        throw _completion.Task.IsCompleted
            ? new ChannelClosedException("Every producer has completed or gone, and everything was read.", _completion.Task.Exception?.InnerException)
            : new TimeoutException($"No message came on channel {_channel.Name} within {deadline.Asked}.");
    }

    /// <summary>Outside the gate: completes with true when there is a message, with false when there will be none.</summary>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellation);
        }

        if (TryLook(out bool isReadable))
        {
            return isReadable || !_completion.Task.IsFaulted ? new ValueTask<bool>(isReadable) : new ValueTask<bool>(FaultedAsync());
        }

        MessageWaiter waiter = Atomics.Exchange(ref _idleWaiter, null) ?? new MessageWaiter(this);
        return waiter.Start(cancellation);
    }

    public void Dispose()
    {
        if (!Gate.TryDispose())
        {
            return;
        }

        _channel.Readers.Ring(_stamp.Slot); // threads of ours that still wait find the gate closed
        foreach (MemoryMapping? data in _data)
        {
            data?.Dispose();
        }

        Leave();
    }

    private void Leave()
    {
        if (_group >= 0)
        {
            _channel.Groups.Leave(_group, _stamp);
        }

        if (_stamp != Stamp.None)
        {
            _channel.Participants.Leave(_stamp);
        }

        _channel.ReleaseReference();
    }

    private async Task<bool> FaultedAsync()
    {
        await _completion.Task.ConfigureAwait(false);
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadNextLane(out LaneRecord record)
    {
        MapNewLanes();
        ReleaseAndWake();
        ulong behind = _lanes & ~((2UL << _lane) - 1);
        if (TryReadAny(behind, out record) || TryReadAny(_lanes & ~behind, out record))
        {
            return true;
        }

        _batchLeft = 0;
        return false;
    }

    private bool TryReadAny(ulong lanes, out LaneRecord record)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            if (_readers[lane]!.TryRead(out record))
            {
                (_lane, _current, _batchLeft) = (lane, _readers[lane], LaneBatch - 1);
                return true;
            }
        }

        record = default;
        return false;
    }

    private void MapNewLanes()
    {
        ulong allocated = _channel.AllocatedLanes(); // SYNC: lane allocated, visible to readers
        for (ulong added = allocated & ~_lanes; added != 0; added &= added - 1)
        {
            int lane = BitOperations.TrailingZeroCount(added);
            MemoryMapping data = _channel.MapLane(lane, MemoryAccess.ReadOnly);
            _data[lane] = data;
            _readers[lane] = new LaneReader(data.Whole, _channel.Cursor(lane, _group), _starts[lane].Position, _starts[lane].Sequence);
            _lanes |= 1UL << lane;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Park(Deadline deadline, CancellationToken cancellation)
    {
        _channel.AddReference(); // the doorbell stays mapped, whoever disposes what, and longer than a cancellation can ring it
        try
        {
            using CancellationTokenRegistration ring = cancellation.CanBeCanceled
                ? cancellation.UnsafeRegister(static state => ((ChannelConsumer)state!).RingSelf(), this)
                : default;
            while (true)
            {
                uint ticket = _channel.Readers.Prepare(_stamp.Slot);
                if (TryLook(out bool isReadable))
                {
                    return isReadable;
                }

                cancellation.ThrowIfCancellationRequested();
                if (deadline.IsOver)
                {
                    return false;
                }

                _channel.Readers.Sleep(_stamp.Slot, ticket, deadline.Left);
            }
        }
        finally
        {
            _channel.ReleaseReference();
        }
    }

    /// <param name="hasCaughtUp">True when several messages were read since the last wait: the producer is at work on the next line.</param>
    private bool HasNext(out bool hasCaughtUp)
    {
        Gate.Enter();
        try
        {
            long sequence = _current?.Sequence ?? 0;
            hasCaughtUp = sequence - _sequenceAtWait > CatchUpMessages;
            _sequenceAtWait = sequence;
            return HasNextInGate();
        }
        finally
        {
            Gate.Exit();
        }
    }

    private bool HasNextInGate()
    {
        MapNewLanes();
        for (ulong lanes = _lanes; lanes != 0; lanes &= lanes - 1)
        {
            if (_readers[BitOperations.TrailingZeroCount(lanes)]!.HasNext)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>One look at everything that ends a wait: a message (true), or that there will be none (false).</summary>
    private bool TryLook(out bool isReadable)
    {
        Gate.Enter();
        try
        {
            return TryLookInGate(out isReadable);
        }
        finally
        {
            Gate.Exit();
        }
    }

    private bool TryLookInGate(out bool isReadable)
    {
        isReadable = HasNextInGate();
        if (isReadable)
        {
            return true;
        }

        ReleaseAndWake(); // whoever waits has finished with what it read
        _channel.ThrowIfDeleted();
        if (!_channel.Groups.IsHeldBy(_group, _stamp))
        {
            throw new ShmException(
                $"This consumer of channel {_channel.Name} was evicted: its cursor was overwritten by somebody. Dispose it and create another.");
        }

        if (!_channel.IsCompleted())
        {
            return false;
        }

        isReadable = HasNextInGate(); // published between the two looks
        if (!isReadable)
        {
            Complete();
        }

        return true;
    }

    private void Complete()
    {
        if (_channel.CompletionError() is { } error)
        {
            _completion.TrySetException(error);
            _ = _completion.Task.Exception; // nobody has to look at it
        }
        else
        {
            _completion.TrySetResult();
        }
    }

    private void RingSelf() => _channel.Readers.Ring(_stamp.Slot);

    /// <summary>A pending await for a message.</summary>
    private sealed class MessageWaiter(ChannelConsumer owner) : HubWaiter
    {
        private readonly ChannelConsumer _owner = owner;

        protected override WaitingRoom Room => _owner._channel.Readers;

        protected override int Slot => _owner._stamp.Slot;

        protected override bool TryFinish(out bool result)
        {
            result = false;
            if (!_owner.Gate.TryEnter())
            {
                IsContended = true; // somebody reads, and a serializer may take its time
                return false;
            }

            try
            {
                if (!_owner.TryLookInGate(out result))
                {
                    return false;
                }
            }
            finally
            {
                _owner.Gate.Exit();
            }

            if (!result && _owner._completion.Task.Exception is { } error)
            {
                throw error.InnerException!;
            }

            return true;
        }

        protected override void KeepAlive() => _owner._channel.AddReference();

        protected override void EndKeepAlive() => _owner._channel.ReleaseReference();

        protected override void Return() => Atomics.Release(ref _owner._idleWaiter, this);
    }
}
