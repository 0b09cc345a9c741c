// The steps of publishing, as short as can be for what most messages are: one by itself, without extensions, with room below the limit.
// Why they are correct is said at the top of LaneWriter.cs; an instruction here is an instruction for each message.

using System.Runtime.CompilerServices;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed unsafe partial class LaneWriter
{
    /// <summary>True when a payload of <paramref name="payloadBytes"/> can be written now without a look at the cursors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool HasRoom(long payloadBytes) =>
        EndOf(payloadBytes) <= _limit && payloadBytes <= MaxPayloadBytes;

    /// <summary>Makes sure that a payload of <paramref name="payloadBytes"/> can be written now; false when the lane is full.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReserve(long payloadBytes) => HasRoom(payloadBytes) || TryReserveSlow(payloadBytes);

    /// <summary>Offset in the mirrored mapping at which the next payload starts.</summary>
    public long PayloadIndex => (_position & _mask) + RecordHeader.Bytes + _extensionBytes;

    /// <summary>The memory of the next payload. Reserve it first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Payload(int payloadBytes)
    {
        Span<byte> payload = new(_data + PayloadIndex, payloadBytes);
        CrashPoint.BeforeStore(payload);
        return payload;
    }

    /// <summary>Publishes the payload that was written into the reserved memory, or adds it to the open batch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(int payloadBytes)
    {
        if (_maxAppendBytes >= 0)
        {
            Publish(_position, _position + RecordHeader.RecordBytes(0, payloadBytes), payloadBytes);
        }
        else
        {
            CommitLong(payloadBytes);
        }
    }

    /// <summary>Copies a message into the reserved memory, and publishes it or adds it to the open batch.</summary>
    public void Write(ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(Payload(payload.Length));
        Commit(payload.Length);
    }

    /// <summary>What most writes are, in as few steps as can be: a message by itself, without extensions, for which there is room below the
    /// limit. False says nothing: <see cref="TryReserve"/> and <see cref="Commit"/> are for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAppend(ReadOnlySpan<byte> payload)
    {
        long position = _position;
        long next = position + RecordHeader.RecordBytes(0, payload.Length);
        if (next + RecordHeader.Bytes > _limit || payload.Length > _maxAppendBytes)
        {
            return false;
        }

        Span<byte> room = new(_data + (position & _mask) + RecordHeader.Bytes, payload.Length);
        CrashPoint.BeforeStore(room);
        ShortCopy.Copy(payload, room);
        Publish(position, next, payload.Length);
        return true;
    }

    /// <summary>Where the record of such a payload would end now, the terminator behind it included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long EndOf(long payloadBytes) => _position + RecordBytes(payloadBytes) + RecordHeader.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Publish(long position, long next, int payloadBytes)
    {
        byte* data = _data;
        long mask = _mask;
        long sequence = _sequence;
        Atomics.Store(ref *(ulong*)(data + (next & mask)), 0); // the terminator, ordered before the header by its release
        ulong header = RecordHeader.Encode(sequence, payloadBytes);
        Atomics.Release(ref *(ulong*)(data + (position & mask)), header); // SYNC: record visible to reader
        _position = next;
        _sequence = ++sequence;
        if (sequence - _committedSequence >= LaneLayout.CommittedInterval)
        {
            StoreCommitted();
        }
    }

    /// <summary>In a batch, or with extensions.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CommitLong(int payloadBytes)
    {
        long next = _position + RecordBytes(payloadBytes);
        Atomics.Store(ref *(ulong*)(_data + (next & _mask)), 0); // the terminator, ordered before the header by its release
        ref ulong headerWord = ref *(ulong*)(_data + (_position & _mask));
        ulong header = RecordHeader.Encode(_sequence, payloadBytes);
        if (_extensionBytes != 0)
        {
            header = Seal(header, payloadBytes);
        }

        if (!_isBatching)
        {
            Atomics.Release(ref headerWord, header); // SYNC: record visible to reader
        }
        else if (_position == _batchPosition)
        {
            _batchHeader = header;
        }
        else
        {
            Atomics.Store(ref headerWord, header);
        }

        _position = next;
        _sequence++;
        if (_extensionBytes != 0)
        {
            StorePublished();
        }

        if (_sequence - _committedSequence >= LaneLayout.CommittedInterval && !_isBatching)
        {
            StoreCommitted();
        }
    }

    /// <summary>Makes <c>committed</c> exact, as a producer does that leaves.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void StoreCommitted()
    {
        _committedSequence = _sequence;
        _control.Committed.Write(_position, _sequence);
    }
}
