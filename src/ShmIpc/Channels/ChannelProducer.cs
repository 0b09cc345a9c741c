// What a producer does, whatever it carries: hold a participant's stamp and a lane, wait for room, wake readers, complete, leave.
// ByteProducer and Producer<T> put bytes and objects on top. Everything between Enter and Exit of the gate is one operation.

using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed class ChannelProducer : ISleeper, IDisposable
{
    private const int UnblockIntervalMs = 10;

    private readonly ChannelRegion _channel;
    private readonly Stamp _stamp;
    private readonly MemoryMapping _data;
    private readonly StandstillClock? _standstill;
    private Spinner _spinner;
    private long _lastUnblockMs;
    private ulong _dropped;
    private bool _isCompleted;
    private RoomWaiter? _idleWaiter;

    public ChannelProducer(ChannelRegion channel)
    {
        _channel = channel;
        Gate = new OperationGate(channel.Options.SingleWriter, $"producer of channel {channel.Name}");
        _spinner = new Spinner(channel.Options.WaitStrategy);
        _standstill = channel.Settings.EvictAfter is { } evictAfter
            ? new StandstillClock(evictAfter, channel.Geometry.MaxGroups, TimeProvider.System)
            : null;
        channel.AddReference();
        MemoryMapping? data = null;
        Lane = -1;
        try
        {
            channel.ThrowIfDeleted();
            if (!channel.HasFreeLane())
            {
                throw channel.NoFreeLane(); // before a stamp is spent on it
            }

            _stamp = channel.Participants.Join(ParticipantRole.Producer);
            channel.Groups.RetireForsaken(_stamp);
            Lane = channel.TakeLane(_stamp);
            _data = data = channel.MapLane(Lane, MemoryAccess.ReadWrite);
            Journal = channel.HasJournals ? new LaneJournal(channel, Lane, data) : null;
            bool isGated = channel.Settings.FullMode != ShmFullMode.DropOldest;
            Writer = new LaneWriter(channel.Lane(Lane), data.Whole, channel.Gate(Lane), isGated, channel.Checksum, Journal);
            channel.AnnounceLane(Lane);
            Journal?.Begin(Writer);
        }
        catch
        {
            data?.Dispose();
            Leave();
            channel.ReleaseReference();
            throw;
        }
    }

    WaitingRoom ISleeper.Room => _channel.Writers;

    int ISleeper.Slot => _stamp.Slot;

    public OperationGate Gate { get; }

    public LaneWriter Writer { get; }

    /// <summary>What makes the lane durable; null where nothing does.</summary>
    public LaneJournal? Journal { get; }

    public int Lane { get; }

    public int MaxMessageBytes => _channel.MaxMessageBytes;

    /// <summary>The lane's data, mirrored, for serializers that want <see cref="Memory{T}"/>.</summary>
    public Memory<byte> LaneMemory => _data.AsMemory();

    /// <summary>Messages that this producer has dropped for want of room.</summary>
    public long DroppedMessages => (long)Atomics.Acquire(ref _dropped);

    private bool Drops => _channel.Settings.FullMode == ShmFullMode.DropWrite;

    public bool IsCompleted => Atomics.Acquire(ref _isCompleted);

    /// <summary>Wakes readers that sleep. Call it after a commit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WakeReaders()
    {
        if (_channel.Readers.AnyParked)
        {
            _channel.WakeReaders();
        }
    }

    /// <summary>Outside the gate, after a commit: waits until the message is as durable as the channel promises.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Settle() => Journal?.Settle();

    /// <summary>Outside the gate, after a commit: completes when the message is as durable as the channel promises.</summary>
    public ValueTask SettleAsync() => Journal?.SettleAsync() ?? ValueTask.CompletedTask;

    /// <summary>Outside the gate: returns when everything that was published is durable.</summary>
    public void Flush()
    {
        Gate.ThrowIfUnusable();
        (Journal ?? throw _channel.NotDurable()).Flush();
    }

    /// <summary>Inside the gate: true when a payload can be written now. Dead or broken groups in the way are retired first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReserve(long payloadBytes)
    {
        Journal?.ThrowIfFailed();
        return Writer.TryReserve(payloadBytes) || TryUnblock(payloadBytes);
    }

    /// <summary>Inside the gate, for a message that has no room: drops and counts it where the channel does so. False: it has to
    /// wait.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool TryDrop()
    {
        if (!Drops)
        {
            return false;
        }

        ref ulong dropped = ref _channel.Lane(Lane).Dropped;
        Atomics.Release(ref dropped, dropped + 1);
        Atomics.Release(ref _dropped, _dropped + 1);
        return true;
    }

    /// <summary>Inside the gate: true when there is room for a payload, or for several records that take as much together.</summary>
    public bool TryMakeRoom(long payloadBytes)
    {
        Journal?.ThrowIfFailed();
        return Writer.TryMakeRoom(payloadBytes) || TryUnblock(payloadBytes);
    }

    /// <summary>Waits until there is room for a payload, or for several records that take as much together. False when the time is
    /// over.</summary>
    /// <param name="payloadBytes">How much room.</param>
    /// <param name="deadline">How long.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="isInside">The caller is inside the gate: it has a batch open.</param>
    public bool WaitForRoom(long payloadBytes, Deadline deadline, CancellationToken cancellation, bool isInside = false)
    {
        Spinner spinner = _spinner;
        spinner.Begin(hasCaughtUp: true);
        do
        {
            if (HasRoom(payloadBytes, isInside))
            {
                spinner.Succeeded();
                _spinner = spinner;
                return true;
            }
        }
        while (spinner.TrySpin() && !(spinner.IsTimeToCheck && (deadline.IsOver || cancellation.IsCancellationRequested)));

        spinner.Failed();
        _spinner = spinner;
        return Park(payloadBytes, isInside, deadline, cancellation);
    }

    /// <summary>As <see cref="WaitForRoom"/>, or says why there is none.</summary>
    public void WaitForRoomOrThrow(long payloadBytes, Deadline deadline, CancellationToken cancellation, bool isInside = false)
    {
        if (!WaitForRoom(payloadBytes, deadline, cancellation, isInside))
        {
            throw new TimeoutException(
                $"No room for {payloadBytes} bytes within {deadline.Asked}: a consumer holds the lane's oldest messages.");
        }
    }

    /// <summary>Outside the gate: completes with true when a message can be written (or dropped), with false when this producer has
    /// completed.</summary>
    public ValueTask<bool> WaitToWriteAsync(long payloadBytes, CancellationToken cancellation)
    {
        if (!Drops || cancellation.IsCancellationRequested)
        {
            return WaitForRoomAsync(payloadBytes, cancellation);
        }

        Gate.ThrowIfUnusable();
        return new ValueTask<bool>(!IsCompleted);
    }

    /// <summary>Outside the gate: completes with true when a payload can be written, with false when this producer has completed.</summary>
    public ValueTask<bool> WaitForRoomAsync(long payloadBytes, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellation);
        }

        Gate.Enter();
        try
        {
            if (_isCompleted || TryMakeRoom(payloadBytes))
            {
                return new ValueTask<bool>(!_isCompleted);
            }
        }
        finally
        {
            Gate.Exit();
        }

        RoomWaiter waiter = Atomics.Exchange(ref _idleWaiter, null) ?? new RoomWaiter(this);
        return waiter.Start(payloadBytes, cancellation);
    }

    /// <summary>Marks this producer as complete. False when it was before.</summary>
    public bool TryComplete(Exception? error)
    {
        Gate.Enter();
        try
        {
            if (_isCompleted)
            {
                return false;
            }

            Atomics.Release(ref _isCompleted, true);
            _channel.Lane(Lane).Complete(_stamp.Value, error);
            Atomics.Increment(ref _channel.Completions);
            _channel.TryWakeReaders();
            _channel.Writers.End(_stamp.Slot); // our own pending waits for room
            return true;
        }
        finally
        {
            Gate.Exit();
        }
    }

    public void ThrowIfCompleted()
    {
        if (IsCompleted)
        {
            throw new System.Threading.Channels.ChannelClosedException("This producer has completed; it publishes nothing more.");
        }
    }

    public void Dispose()
    {
        if (!Gate.TryDispose())
        {
            return;
        }

        try
        {
            if (Gate.IsAtHome)
            {
                LeaveLane();
            }
        }
        finally
        {
            _data.Dispose();
            _channel.ReleaseReference();
        }
    }

    void ISleeper.KeepAlive() => _channel.AddReference();

    void ISleeper.EndKeepAlive() => _channel.ReleaseReference();

    private void LeaveLane()
    {
        try
        {
            Writer.AbortBatch();
            Writer.StoreCommitted();
            Journal?.End();
        }
        finally
        {
            _channel.Writers.End(_stamp.Slot); // whoever of ours still waits finds the gate closed
            Leave();
        }
    }

    private void Leave()
    {
        if (Lane >= 0)
        {
            _channel.GiveBackLane(Lane, _stamp);
        }

        if (_stamp != Stamp.None)
        {
            _channel.Participants.Leave(_stamp);
        }

        _channel.TryWakeReaders(); // perhaps nobody is left to wait for
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Park(long payloadBytes, bool isInside, Deadline deadline, CancellationToken cancellation)
    {
        using Parking parking = new(this, deadline, cancellation);
        do
        {
            if (HasRoom(payloadBytes, isInside))
            {
                return true;
            }
        }
        while (parking.TrySleep());
        return false;
    }

    private bool HasRoom(long payloadBytes, bool isInside)
    {
        if (isInside)
        {
            Gate.ThrowIfUnusable();
            return TryMakeRoom(payloadBytes);
        }

        Gate.Enter();
        try
        {
            ThrowIfCompleted();
            return TryMakeRoom(payloadBytes);
        }
        finally
        {
            Gate.Exit();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryUnblock(long payloadBytes)
    {
        long now = Environment.TickCount64;
        if (now - _lastUnblockMs < UnblockIntervalMs && Writer.SuspectGroups == 0)
        {
            return false;
        }

        _lastUnblockMs = now;
        _channel.ThrowIfDeleted();
        ulong blocking = Writer.BlockingGroups(payloadBytes) | _channel.Groups.SharedGroups();
        bool isAnyRetired = _channel.Groups.RetireUnfit(blocking, Writer, _stamp);
        if (_standstill is not null)
        {
            isAnyRetired |= _channel.Groups.EvictStanding(blocking, Writer, payloadBytes, _standstill, _stamp);
        }

        return isAnyRetired && Writer.TryMakeRoom(payloadBytes);
    }

    /// <summary>A pending await for room.</summary>
    private sealed class RoomWaiter(ChannelProducer owner) : HubWaiter(owner)
    {
        private readonly ChannelProducer _owner = owner;
        private long _payloadBytes;

        public ValueTask<bool> Start(long payloadBytes, CancellationToken cancellation)
        {
            _payloadBytes = payloadBytes;
            return Start(cancellation);
        }

        protected override bool TryFinish(out bool result)
        {
            result = false;
            if (_owner.IsCompleted)
            {
                return true;
            }

            if (!_owner.Gate.TryEnter())
            {
                IsContended = true; // somebody writes
                return false;
            }

            try
            {
                return result = _owner.TryMakeRoom(_payloadBytes);
            }
            finally
            {
                _owner.Gate.Exit();
            }
        }

        protected override void Return() => Atomics.Release(ref _owner._idleWaiter, this);
    }
}
