// Where a serializer writes: the free memory of the lane itself, so that a message is built in place. A message that outgrows what is
// free now goes on in a rented array and is copied behind its head when there is room; serializers never wait.

using System.Buffers;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed class ClaimBufferWriter(Memory<byte> lane, int maxPayloadBytes) : IBufferWriter<byte>
{
    private const int LeastSpillBytes = 4096;
    private const int MostBytesByteWritten = 4;
    private readonly Memory<byte> _lane = lane;
    private readonly int _maxPayloadBytes = maxPayloadBytes;
    private Memory<byte> _claimed;
    private int _inPlace;
    private byte[]? _spill;
    private int _spilled;

    public int WrittenBytes => _inPlace + _spilled;

    /// <summary>True when the message turned out larger than any message may be.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>Begins a message in the room that the lane has now.</summary>
    public void Begin(LaneWriter writer)
    {
        long room = Math.Max(writer.RoomBytes, 0);
        _claimed = _lane.Slice((int)writer.PayloadIndex, (int)room);
        (_inPlace, _spilled, IsTooLarge) = (0, 0, false);
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (_spill is null)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _claimed.Length - _inPlace);
            _inPlace += count;
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _spill.Length - _spilled);
            _spilled += count;
        }
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        int wanted = Math.Max(sizeHint, 1);
        return _spill is null && _claimed.Length - _inPlace >= wanted ? _claimed[_inPlace..] : SpillMemory(wanted);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Copies what was spilled behind the part that is in place. The room for the whole message is reserved by now.</summary>
    public void Join(LaneWriter writer)
    {
        if (_spilled > 0)
        {
            _spill.AsSpan(0, _spilled).CopyTo(writer.Payload(WrittenBytes)[_inPlace..]);
        }
    }

    /// <summary>Ends the message, one way or another.</summary>
    public void End()
    {
        _claimed = default; // a serializer that kept its destination writes nowhere
        if (_spill is not null)
        {
            ArrayPool<byte>.Shared.Return(_spill);
            _spill = null;
        }
    }

    private Memory<byte> SpillMemory(int wanted)
    {
        // A hint says how much may come, not how much will: MessagePack asks for three bytes a character and writes one for most. What
        // counts is what was written; the hint is bounded only so that no serializer has a peer's worth of memory rented.
        if (WrittenBytes > _maxPayloadBytes || wanted > (MostBytesByteWritten * (long)_maxPayloadBytes) + LeastSpillBytes)
        {
            IsTooLarge = true;
            throw new ShmMessageTooLargeException(WrittenBytes + (long)wanted, _maxPayloadBytes);
        }

        if (_spill is null)
        {
            _spill = ArrayPool<byte>.Shared.Rent(Math.Max(wanted, LeastSpillBytes));
        }
        else if (_spill.Length - _spilled < wanted)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_spilled + wanted, _spill.Length * 2));
            _spill.AsSpan(0, _spilled).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_spill);
            _spill = larger;
        }

        return _spill.AsMemory(_spilled);
    }
}
