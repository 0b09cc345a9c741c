// What a producer does, whatever it carries: hold a participant's stamp and a lane, wait for room, wake readers, complete, leave.
// ByteProducer and Producer<T> put bytes and objects on top. Everything between Enter and Exit of the gate is one operation.

using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed partial class ChannelProducer : ISleeper, IDisposable
{
    private const int UnblockIntervalMs = 10;

    private readonly ChannelRegion _channel;
    private readonly Stamp _stamp;
    private readonly MemoryMapping _data;
    private readonly StandstillClock? _standstill;
    private readonly WaitingRoom _readers;
    private Spinner _spinner;
    private long _lastUnblockMs;
    private ulong _dropped;
    private bool _isCompleted;
    private RoomWaiter? _idleWaiter;

    public ChannelProducer(ChannelRegion channel)
    {
        _channel = channel;
        _readers = channel.Readers;
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
        if (_readers.AnyParked)
        {
            _channel.WakeReaders();
        }
    }

    /// <summary>Inside the gate: forgets the open batch. Not in a forked child: the lane is the parent's.</summary>
    public void AbortBatch()
    {
        if (Gate.IsAtHome)
        {
            Writer.AbortBatch();
        }
    }

    /// <summary>Inside the gate: publishes a message where nothing special is to be done, in as few steps as can be. False says
    /// nothing; the long way is for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAppend(ReadOnlySpan<byte> payload)
    {
        if (_isCompleted || !Writer.TryAppend(payload))
        {
            return false;
        }

        WakeReadersOrExit();
        return true;
    }

    /// <summary>Inside the gate: true when there is room for a payload and nothing special is to be done. False says nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool HasRoom(long payloadBytes) => !_isCompleted && Journal is null && Writer.HasRoom(payloadBytes);

    /// <summary>Inside the gate, after a commit: wakes readers that sleep. The message is there; what goes wrong behind it leaves the
    /// gate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WakeReadersOrExit()
    {
        if (_readers.AnyParked)
        {
            WakeParkedOrExit();
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
    private void WakeParkedOrExit()
    {
        try
        {
            _channel.WakeReaders();
        }
        catch
        {
            Gate.ExitClaim();
            throw;
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
}
