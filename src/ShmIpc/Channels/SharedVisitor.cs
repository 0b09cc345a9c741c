// How a member of a shared group reads: all lanes in turn, each record claimed for this member (Rings/SharedLaneReader.cs), and then what
// dead members left (ClaimRecovery.cs). A record is held until it is acknowledged: with automatic acknowledgement when the next one is
// asked for, or when the reader waits.
//
// Where a living group can be evicted (EvictAfter), its intents may end before the member's work does. So the record is copied, and handed
// out only if the group still was there behind the copy.
//
// Everything here happens inside its consumer's gate.

using System.Numerics;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed class SharedVisitor : IDisposable
{
    /// <summary>Messages taken from one lane before the next lane has its turn, and between two looks for what the dead left.</summary>
    private const int BatchMessages = 64;
    private const int RecoveryIntervalMs = 10; // each look asks the kernel about members that are at work

    private readonly ChannelRegion _channel;
    private readonly GroupSeat _seat;
    private readonly Stamp _self;
    private readonly bool _isManual;
    private readonly int _maxInFlight;
    private readonly ClaimRecovery _recovery;
    private readonly LaneMap _map;
    private readonly SharedLaneReader?[] _readers;
    private readonly (int Slot, int Number, Intent Intent)[] _held = new (int, int, Intent)[ClaimTable.MaxIntents];
    private readonly Func<int, int, bool> _isHeld;
    private ulong _reading;
    private int _heldCount;
    private long _nextRecoveryMs;
    private int _lane;
    private int _batchLeft;
    private byte[]? _copy;

    public SharedVisitor(ChannelRegion channel, GroupSeat seat, Stamp self, bool isManual, int maxInFlight)
    {
        _channel = channel;
        _seat = seat;
        _self = self;
        _isManual = isManual;
        _maxInFlight = maxInFlight;
        _recovery = new ClaimRecovery(channel, seat.Group, self);
        _map = new LaneMap(channel);
        _isHeld = IsHeld;
        _copy = channel.Settings.IsEvicting ? [] : null;
        _readers = new SharedLaneReader?[channel.Geometry.MaxProducers];
    }

    /// <summary>The lane that the last message came from.</summary>
    public int Lane => _lane;

    /// <summary>How often the last message was handed out, this time included; stays at 7.</summary>
    public int DeliveryCount { get; private set; }

    /// <summary>The memory of <see cref="Lane"/>, mirrored.</summary>
    public ReadOnlyMemory<byte> CurrentMemory => _copy ?? _map[_lane].AsMemory();

    /// <summary>Takes the next message of any lane, or one that a dead member left.</summary>
    /// <exception cref="ShmEvictedException">The group was retired.</exception>
    public bool TryRead(out LaneRecord record)
    {
        if (_copy is null)
        {
            return TryReadInPlace(out record);
        }

        try
        {
            if (!TryReadInPlace(out record))
            {
                ThrowIfEvicted();
                return false;
            }
        }
        catch (ShmCorruptionException)
        {
            ThrowIfEvicted(); // then what looks like damage is a later lap
            throw;
        }

        ReadOnlySpan<byte> payload = _readers[_lane]!.Payload(record);
        if (_copy.Length < payload.Length)
        {
            _copy = GC.AllocateUninitializedArray<byte>((int)BitOperations.RoundUpToPowerOf2((uint)payload.Length));
        }

        payload.CopyTo(_copy);
        Atomics.ReadBarrier(); // SYNC: group retired before its messages are overwritten
        ThrowIfEvicted();
        record = new LaneRecord(record.Position, record.Sequence, 0, record.PayloadBytes);
        return true;
    }

    public ReadOnlySpan<byte> Payload(LaneRecord record) => _copy is null
        ? _readers[_lane]!.Payload(record)
        : _copy.AsSpan((int)record.PayloadIndex, record.PayloadBytes);

    /// <exception cref="ShmEvictedException">The group was retired.</exception>
    public void ThrowIfGone()
    {
        if (_channel.Groups.IsGone(_seat.Group))
        {
            throw _channel.Groups.Evicted();
        }
    }

    /// <summary>Behind a copy, which is good only if the group gated all the time.</summary>
    /// <exception cref="ShmEvictedException">The group was retired, or has been about to for long.</exception>
    private void ThrowIfEvicted()
    {
        // Whoever retires it may find a member that has just joined, and put it back.
        if (!_channel.Groups.IsActive(_seat.Group)
            && !SpinWait.SpinUntil(() => _channel.Groups.IsActive(_seat.Group), WaitingRoom.MaxPark))
        {
            throw _channel.Groups.Evicted();
        }
    }

    private bool TryReadInPlace(out LaneRecord record)
    {
        AcknowledgeAutomatically();
        if (_heldCount >= _maxInFlight)
        {
            throw InFlight.Full(_heldCount, _maxInFlight, _channel.Name);
        }

        if (_batchLeft > 0 && Environment.TickCount64 < _nextRecoveryMs && TryClaim(_lane, out record))
        {
            _batchLeft--;
            return true;
        }

        _batchLeft = 0;
        MapNewLanes();
        ulong behind = _reading & ~((2UL << _lane) - 1);
        return TryRedeliver(out record) || TryClaimAny(behind, out record) || TryClaimAny(_reading & ~behind, out record);
    }

    /// <summary>Without manual acknowledgement, what was read is finished with.</summary>
    public void AcknowledgeAutomatically()
    {
        if (!_isManual)
        {
            Acknowledge(-1, 0);
        }
    }

    /// <summary>Says that a message was finished with, or everything that was read (lane -1).</summary>
    public void Acknowledge(int lane, long position)
    {
        if (_heldCount == 0)
        {
            return;
        }

        for (int i = _heldCount - 1; i >= 0; i--)
        {
            if (lane < 0 || (_held[i].Intent.Lane == lane && _held[i].Intent.Position == position))
            {
                _recovery.Clear(_held[i].Slot, _held[i].Number, _held[i].Intent);
                _held[i] = _held[--_heldCount];
            }
        }

        if (_channel.Writers.AnyParked)
        {
            _channel.WakeWriters();
        }
    }

    /// <summary>True when there is a message, or something that a dead member left.</summary>
    public bool HasNext()
    {
        if (_copy is not null)
        {
            ThrowIfEvicted();
        }

        MapNewLanes();
        for (ulong lanes = _reading; lanes != 0; lanes &= lanes - 1)
        {
            if (_readers[BitOperations.TrailingZeroCount(lanes)]!.HasNext)
            {
                return true;
            }
        }

        if (!IsRecoveryDue() || !_recovery.TryFind(_isHeld, out _, out _))
        {
            return false;
        }

        _nextRecoveryMs = 0; // the read that follows finds it, too
        return true;
    }

    /// <summary>True when another member holds a message: it comes back should that member die.</summary>
    public bool IsAnyInFlightElsewhere()
    {
        foreach (int slot in _channel.Claims)
        {
            for (int number = 0; number < ClaimTable.MaxIntents && _channel.Claims.Group(slot) == _seat.Group; number++)
            {
                if (slot != _self.Slot && !IsHeld(slot, number) && Atomics.Acquire(ref _channel.Claims.Intent(slot, number)) != 0)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Messages that no member has taken.</summary>
    public long Count()
    {
        MapNewLanes();
        long count = 0;
        for (ulong lanes = _reading; lanes != 0; lanes &= lanes - 1)
        {
            count += _readers[BitOperations.TrailingZeroCount(lanes)]!.Count;
        }

        return count;
    }

    /// <summary>Automatic: everything is finished with. Manual: what is held is left for the others.</summary>
    public void Leave()
    {
        for (int i = 0; i < _heldCount && !_isManual; i++)
        {
            _recovery.Clear(_held[i].Slot, _held[i].Number, _held[i].Intent);
        }

        if (!_channel.Claims.HasIntents(_self.Slot))
        {
            _channel.Claims.Withdraw(_self.Slot);
        }
    }

    public void Dispose() => _map.Dispose();

    private bool TryClaimAny(ulong lanes, out LaneRecord record)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            if (TryClaim(lane, out record))
            {
                _batchLeft = BatchMessages - 1;
                return true;
            }
        }

        record = default;
        return false;
    }

    private bool TryClaim(int lane, out LaneRecord record)
    {
        int number = FreeNumber();
        if (!_readers[lane]!.TryClaim(ref _channel.Claims.Intent(_self.Slot, number), out record))
        {
            return false;
        }

        if (_channel.Groups.IsGone(_seat.Group))
        {
            Atomics.Release(ref _channel.Claims.Intent(_self.Slot, number), 0); // evicted: nothing keeps the record from being overwritten
            return false;
        }

        Hold(_self.Slot, number, new Intent(lane, 1, record.Position));
        return true;
    }

    private bool TryRedeliver(out LaneRecord record)
    {
        // Each that is found and not taken has been cleared; only a peer that writes new ones all the time is never done.
        int left = _channel.Participants.Slots * ClaimTable.MaxIntents;
        for (; left > 0 && IsRecoveryDue() && _recovery.TryFind(_isHeld, out int slot, out int number); left--)
        {
            _nextRecoveryMs = 0; // there may be more
            MapNewLanes(); // its lane may have been taken since the last look
            if (_recovery.TryTake(slot, number, _readers, out Intent intent, out record))
            {
                Hold(slot, number, intent);
                return true;
            }
        }

        record = default;
        return false;
    }

    private bool IsRecoveryDue()
    {
        long now = Environment.TickCount64;
        if (now < _nextRecoveryMs)
        {
            return false;
        }

        _nextRecoveryMs = now + RecoveryIntervalMs;
        return true;
    }

    private void Hold(int slot, int number, Intent intent)
    {
        _held[_heldCount++] = (slot, number, intent);
        (_lane, DeliveryCount) = (intent.Lane, intent.Deliveries);
    }

    private bool IsHeld(int slot, int number)
    {
        foreach ((int heldSlot, int heldNumber, _) in _held.AsSpan(0, _heldCount))
        {
            if (heldSlot == slot && heldNumber == number)
            {
                return true;
            }
        }

        return false;
    }

    private int FreeNumber()
    {
        int number = 0;
        while (IsHeld(_self.Slot, number))
        {
            number++;
        }

        return number;
    }

    private void MapNewLanes()
    {
        _map.MapNew();
        for (ulong added = _map.Mapped & ~_reading; added != 0; added &= added - 1)
        {
            int lane = BitOperations.TrailingZeroCount(added);
            _readers[lane] = new SharedLaneReader(
                _map[lane].Whole, _channel.Lane(lane), _channel.CursorEntry(lane, _seat.Group), lane);
            _reading |= 1UL << lane;
        }
    }
}
