// How a consumer reads: all lanes of the channel in turn, a bounded batch from each. Maps lanes as producers take them.
//
// Acknowledgement is automatic: a message counts as finished with when the next one is asked for, so the cursor never passes the
// message in hand. A reader that sees a producer waiting gives back its room before it takes the next message.
//
// Everything here happens inside its consumer's gate.

using System.Numerics;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed class LaneVisitor : IDisposable
{
    /// <summary>Messages taken from one lane before the next lane has its turn.</summary>
    private const int BatchMessages = 64;

    private readonly ChannelRegion _channel;
    private readonly int _group;
    private readonly (long Position, long Sequence)[] _starts;
    private readonly LaneReader?[] _readers;
    private readonly MemoryMapping?[] _data;
    private ulong _mapped;
    private int _lane;
    private int _batchLeft;
    private LaneReader? _current;

    /// <param name="channel">The channel.</param>
    /// <param name="group">The group whose cursors move.</param>
    /// <param name="starts">Where the group starts in each lane.</param>
    public LaneVisitor(ChannelRegion channel, int group, (long Position, long Sequence)[] starts)
    {
        _channel = channel;
        _group = group;
        _starts = starts;
        _readers = new LaneReader?[starts.Length];
        _data = new MemoryMapping?[starts.Length];
    }

    /// <summary>The lane that the last message came from.</summary>
    public int Lane => _lane;

    /// <summary>The reader of <see cref="Lane"/>.</summary>
    public LaneReader Current => _current!;

    /// <summary>The memory of <see cref="Lane"/>, mirrored.</summary>
    public ReadOnlyMemory<byte> CurrentMemory => _data[_lane]!.AsMemory();

    /// <summary>Number of the next message of <see cref="Lane"/>.</summary>
    public long Sequence => _current?.Sequence ?? 0;

    /// <summary>Steps over the next message of any lane.</summary>
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

    /// <summary>Gives back the room of everything that was read.</summary>
    public void ReleaseAndWake()
    {
        for (ulong lanes = _mapped; lanes != 0; lanes &= lanes - 1)
        {
            _readers[BitOperations.TrailingZeroCount(lanes)]!.Release();
        }

        if (_channel.Writers.AnyParked)
        {
            _channel.WakeWriters();
        }
    }

    /// <summary>True when some lane has a message.</summary>
    public bool HasNext()
    {
        MapNewLanes();
        for (ulong lanes = _mapped; lanes != 0; lanes &= lanes - 1)
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
        MapNewLanes();
        long count = 0;
        for (ulong lanes = _mapped; lanes != 0; lanes &= lanes - 1)
        {
            int lane = BitOperations.TrailingZeroCount(lanes);
            count += _readers[lane]!.EndSequence(_channel.Lane(lane)) - _readers[lane]!.Sequence;
        }

        return count;
    }

    public void Dispose()
    {
        foreach (MemoryMapping? data in _data)
        {
            data?.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadNextLane(out LaneRecord record)
    {
        MapNewLanes();
        ReleaseAndWake();
        ulong behind = _mapped & ~((2UL << _lane) - 1);
        if (TryReadAny(behind, out record) || TryReadAny(_mapped & ~behind, out record))
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
                (_lane, _current, _batchLeft) = (lane, _readers[lane], BatchMessages - 1);
                return true;
            }
        }

        record = default;
        return false;
    }

    private void MapNewLanes()
    {
        ulong allocated = _channel.AllocatedLanes(); // SYNC: lane allocated, visible to readers
        for (ulong added = allocated & ~_mapped; added != 0; added &= added - 1)
        {
            int lane = BitOperations.TrailingZeroCount(added);
            MemoryMapping data = _channel.MapLane(lane, MemoryAccess.ReadOnly);
            _data[lane] = data;
            _readers[lane] = new LaneReader(data.Whole, _channel.Cursor(lane, _group), _starts[lane].Position, _starts[lane].Sequence);
            _mapped |= 1UL << lane;
        }
    }
}
