// How the reader of an exclusive group reads: all lanes of the channel in turn, a bounded batch from each. Maps lanes as producers take
// them. A member of a named group that stands by maps and reads nothing, until it finds the active member gone.
//
// With automatic acknowledgement a message counts as finished with when the next one is asked for, so the cursor never passes the message
// in hand; with manual acknowledgement it never passes the oldest that was not acknowledged. A reader that sees a producer waiting gives
// back its room before it takes the next message.
//
// Readers that may be overrun (Rings/LaneReader.Lossy.cs) read copies:
//   DropOldest    producers wait for nobody: losses are counted
//   observers     the same, in any channel; without a group, so without cursors
//   EvictAfter    producers wait for this consumer until they retire its group. So it looks at its group's state behind each copy: one that
//                 was overrun because it was evicted says so, and does not go on behind a gap. It stores its cursors at every message and
//                 turns to the next lane, so that one who reads slowly is seen to move everywhere. _batchLeft stays 0 for it: it leaves
//                 the fast path, which knows nothing of it.
//
// Everything here happens inside its consumer's gate.

using System.Numerics;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed partial class LaneVisitor : IDisposable
{
    /// <summary>Messages taken from one lane before the next lane has its turn.</summary>
    private const int BatchMessages = 64;
    private const int AskIntervalMs = 10; // a stand-by asks the kernel whether the active member lives

    private readonly ChannelRegion _channel;
    private readonly GroupSeat _seat;
    private readonly Stamp _self;
    private readonly InFlight? _inFlight;
    private readonly bool _isLossy;
    private readonly bool _isEvictable;
    private readonly bool _isPlain;
    private readonly WaitingRoom _writers;
    private readonly LaneReader?[] _readers;
    private readonly LaneMap _map;
    private ulong _reading;
    private long _nextAskMs;
    private int _lane;
    private int _batchLeft;
    private bool _hasMapped;
    private LaneReader? _current;

    /// <param name="channel">The channel.</param>
    /// <param name="seat">The group whose cursors move.</param>
    /// <param name="self">Who reads.</param>
    /// <param name="inFlight">What is handed out and not acknowledged; null for automatic acknowledgement.</param>
    public LaneVisitor(ChannelRegion channel, GroupSeat seat, Stamp self, InFlight? inFlight)
    {
        _channel = channel;
        _seat = seat;
        _self = self;
        _inFlight = inFlight;
        ChannelSettings settings = channel.Settings;
        _isEvictable = settings.IsEvicting && !seat.IsObserver;
        _isLossy = _isEvictable || seat.IsObserver || settings.FullMode == ShmFullMode.DropOldest;
        _isPlain = !_isLossy && !seat.IsNamed && inFlight is null;
        _writers = channel.Writers;
        _map = new LaneMap(channel);
        _readers = new LaneReader?[channel.Geometry.MaxProducers];
        IsActive = seat.Starts is not null;
    }

    /// <summary>False while another member of the group reads.</summary>
    public bool IsActive { get; private set; }

    /// <summary>The lane that the last message came from.</summary>
    public int Lane => _lane;

    /// <summary>The reader of <see cref="Lane"/>.</summary>
    public LaneReader Current => _current!;

    /// <summary>The memory of <see cref="Lane"/>, mirrored.</summary>
    public ReadOnlyMemory<byte> CurrentMemory => _isLossy ? _current!.Copied : _map[_lane].AsMemory();

    /// <summary>Messages that were overwritten before they were read. Nothing is that a group with a hold on its producers has not read:
    /// such a consumer at most began below the floor.</summary>
    public long Lost
    {
        get
        {
            long lost = 0;
            for (ulong lanes = _isEvictable ? 0 : _reading; lanes != 0; lanes &= lanes - 1)
            {
                lost += _readers[BitOperations.TrailingZeroCount(lanes)]!.Lost;
            }

            return lost;
        }
    }

    /// <summary>Number of the next message of <see cref="Lane"/>.</summary>
    public long Sequence => _current?.Sequence ?? 0;

    /// <summary>Steps over the next message of any lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(out LaneRecord record)
    {
        _current?.ReleaseIfDue(); // before the look at who is parked, so that whoever waits for this room is woken at once
        if (_writers.AnyParked)
        {
            ReleaseAndWake();
        }

        if (_inFlight is not null)
        {
            return TryReadManually(out record);
        }

        if (_batchLeft > 0 && _current!.TryRead(out record))
        {
            _batchLeft--;
            return true;
        }

        return TryReadNextLane(out record);
    }

    /// <summary>Steps over up to <paramref name="maxRecords"/> consecutive messages of one lane; none of them is given back before
    /// <see cref="ReleaseAndWake"/>, <see cref="Leave"/> or the next read. Returns how many.</summary>
    public int TryReadBatch(int maxRecords, out LaneRecord first)
    {
        if (!TryRead(out first))
        {
            return 0;
        }

        int further = _current!.ReadOn(maxRecords - 1);
        _batchLeft = Math.Max(0, _batchLeft - further);
        return 1 + further;
    }

    /// <summary>How often, at least, a message that was just read was handed out, this time included.</summary>
    public int DeliveryCount(LaneRecord record) => record.Position < Current.HandedBefore ? Current.DeliveryCount : 1;

    /// <summary>Says that a message was finished with, or everything that was read (-1).</summary>
    public void Acknowledge(int lane, long position)
    {
        if (_inFlight is null && lane >= 0)
        {
            return; // the next read acknowledges; an older message says nothing about the one in hand
        }

        if (_inFlight is not null)
        {
            _inFlight.Remove(lane, position);
            for (int held = 0; held < _readers.Length; held++)
            {
                _readers[held]?.Ceiling = _inFlight.Lowest(held);
            }
        }

        ReleaseAndWake();
    }

    /// <summary>Gives back the room of everything that was read.</summary>
    public void ReleaseAndWake()
    {
        if (TryRelease())
        {
            return;
        }

        if (_seat.IsObserver)
        {
            _channel.ThrowIfDeleted(); // nobody waits for it
        }
        else
        {
            _channel.WakeWriters();
        }
    }

    /// <summary>Gives back the room of everything that was read. False when a producer may sleep that waits for it.</summary>
    public bool TryRelease()
    {
        for (ulong lanes = _reading; lanes != 0; lanes &= lanes - 1)
        {
            _readers[BitOperations.TrailingZeroCount(lanes)]!.Release();
        }

        return !_writers.AnyParked;
    }

    /// <summary>Passes over everything that is there now: for an observer, which has no group that starts anywhere.</summary>
    public void SkipToEnd()
    {
        MapNewLanes();
        for (ulong lanes = _reading; lanes != 0; lanes &= lanes - 1)
        {
            _readers[BitOperations.TrailingZeroCount(lanes)]!.SkipToEnd();
        }
    }

    /// <exception cref="ShmEvictedException">The group was retired.</exception>
    public void ThrowIfEvicted()
    {
        if (!_seat.IsObserver && (IsActive ? !_channel.Groups.IsHeldBy(_seat.Group, _self) : _channel.Groups.IsGone(_seat.Group)))
        {
            throw _channel.Groups.Evicted();
        }
    }

    /// <summary>True when some lane has a message.</summary>
    public bool HasNext()
    {
        ThrowIfOverrunByEviction();
        MapNewLanes();
        for (ulong lanes = _reading; lanes != 0; lanes &= lanes - 1)
        {
            if (_readers[BitOperations.TrailingZeroCount(lanes)]!.HasNext)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Messages that are there and not yet read, over all lanes.</summary>
    public long Count()
    {
        ThrowIfOverrunByEviction();
        MapNewLanes();
        long count = 0;
        for (ulong lanes = _reading; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            long end = _readers[lane]!.EndSequence(_channel.Lane(lane)); // may move a reader that was overrun up
            count += end - _readers[lane]!.Sequence;
        }

        return count;
    }

    /// <summary>One that stands by: true when the group has finished with every message.</summary>
    public bool IsEverythingRead()
    {
        _map.MapNew();
        for (ulong lanes = _map.Mapped; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            long cursor = Cursor(lane);
            LaneScan scan = new(_map[lane].Whole, _channel.Lane(lane));
            if (_isLossy && cursor < _channel.Lane(lane).Floor.Read().Position)
            {
                return false; // whoever reads next finds out what it lost
            }

            bool isAtEnd = scan.End(cursor, scan.SequenceAt(cursor)).Position == cursor;
            if (!isAtEnd || Cursor(lane) != cursor) // it moves: what was looked at may be anything
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Acknowledges automatically what was read, for the last time.</summary>
    public void Leave()
    {
        foreach (LaneReader? reader in _readers)
        {
            reader?.Release();
        }
    }

    public void Dispose() => _map.Dispose();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadManually(out LaneRecord record)
    {
        _inFlight!.ThrowIfFull();
        if (!(_batchLeft-- > 0 && _current!.TryRead(out record)) && !TryReadNextLane(out record))
        {
            return false;
        }

        _inFlight.Add(_lane, record.Position);
        _current!.Ceiling = _inFlight.Lowest(_lane);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadNextLane(out LaneRecord record)
    {
        MapNewLanes();
        ReleaseAndWake();
        ulong behind = _reading & ~((2UL << _lane) - 1);
        bool isRead = TryReadAny(behind, out record) || TryReadAny(_reading & ~behind, out record);
        _batchLeft = isRead && !_isEvictable ? BatchMessages - 1 : _isPlain && _current is not null ? BatchMessages : 0;
        ThrowIfOverrunByEviction(); // a floor that passed the reader is seen together with the group's end
        return isRead;
    }

    private bool TryReadAny(ulong lanes, out LaneRecord record)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            if (_readers[lane]!.TryRead(out record))
            {
                (_lane, _current) = (lane, _readers[lane]);
                return true;
            }
        }

        record = default;
        return false;
    }

    private void MapNewLanes()
    {
        if (!IsActive && !(IsActive = _channel.Groups.TryTakeOver(_seat.Group, _self, IsTimeToAsk())))
        {
            return;
        }

        _map.MapNew();
        for (ulong added = _map.Mapped & ~_reading; added != 0; added &= added - 1)
        {
            int lane = BitOperations.TrailingZeroCount(added);
            (long position, long sequence) = Start(lane);
            MappedSpan cursor = _seat.IsObserver ? default : _channel.CursorEntry(lane, _seat.Group);
            LaneControl? overrunBy = _isLossy ? _channel.Lane(lane) : null;
            _readers[lane] = new LaneReader(_map[lane].Whole, cursor, position, sequence, _seat.IsNamed, overrunBy);
            _reading |= 1UL << lane;
        }

        _hasMapped = true;
    }

    private bool IsTimeToAsk()
    {
        long now = Environment.TickCount64;
        if (now < _nextAskMs)
        {
            return false;
        }

        _nextAskMs = now + AskIntervalMs;
        return true;
    }

    private (long Position, long Sequence) Start(int lane)
    {
        if (_seat.Starts is { } starts)
        {
            return starts[lane];
        }

        long cursor = Cursor(lane);
        if (_hasMapped && cursor == 0)
        {
            return default; // first taken since: everything in it was published since
        }

        LaneScan scan = new(_map[lane].Whole, _channel.Lane(lane));
        long sequence = scan.SequenceAt(cursor);
        Atomics.ReadBarrier(); // SYNC: floor visible before the bytes below it are overwritten
        (long Position, long Sequence) floor = _channel.Lane(lane).Floor.Read();
        return _isLossy && floor.Position > cursor ? floor : (cursor, sequence);
    }

    private void ThrowIfOverrunByEviction()
    {
        if (_isEvictable)
        {
            ThrowIfEvicted();
        }
    }

    private long Cursor(int lane) =>
        (long)Atomics.Acquire(ref _channel.Gate(lane).Cursor(_seat.Group)) & ~(RecordHeader.AlignmentBytes - 1L);
}
