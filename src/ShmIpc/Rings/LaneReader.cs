// A consumer's half of a lane: one cursor that moves over the records of a mapping it cannot write.
//
// The correctness argument stands at the top of LaneWriter.cs. The reader's part of it:
//   - it acts only upon the header word at its own position, read once with acquire (SYNC: record visible to reader), checked
//     (RecordHeader.IsValid) and then used from a local: length and flags cannot lead it outside the mirrored mapping;
//   - it release-stores its cursor only behind records with whose bytes its caller has finished, so the producer's next lap begins
//     after the last read of this one;
//   - a header that is neither 0 nor valid is reported once and then read as "nothing here" until the word changes: a scribbling
//     peer can cost a lane, not a loop.
// The cursor of a nameless group is stored in batches (an eighth of the lane), when the lane is found empty, and when a producer waits:
// never per message. A named group's tells a stand-by where to continue, so it is stored for each message, and beside it how far
// messages were handed out: those in between are delivered a second time after a death, and the stand-by says so.
//
// WHAT A READ COSTS in cache lines that change hands: those of the record, R / 64 a message of R bytes when the reader is some lines behind
// its producer (each is taken once, complete), and 1 + (R - 8) / 64 when it waits for each message, because the header's line is taken
// by itself. The cursor's line is taken back by the producer once a lap: 2 transfers an eighth of a lane at most.
//
// A reader that may be overrun does all that in another way: LaneReader.Lossy.cs.
//
// Knows memory only: no file, name, clock or system call. Not thread-safe: its owner serialises calls.

using System.Runtime.CompilerServices;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed unsafe partial class LaneReader
{
    private readonly byte* _data;
    private readonly long _mask;
    private readonly long _maxPayloadBytes;
    private readonly long _releaseBytes;
    private readonly MappedSpan _cursor;
    private readonly MappedSpan _span;
    private readonly bool _isNamed;
    private long _position;
    private long _sequence;
    private long _released;
    private ulong _reportedHeader;
    private long _reportedPosition = -1;

    /// <summary>Reads a lane from a position that is known to be a record boundary (its floor, or a stored cursor).</summary>
    /// <param name="data">The lane's data, mirrored: twice its capacity; need not be writable.</param>
    /// <param name="cursor">The group's cursor word for this lane; it already holds <paramref name="position"/>. Empty for a reader without
    /// a group.</param>
    /// <param name="position">Where to start.</param>
    /// <param name="sequence">Number of the message at that position.</param>
    /// <param name="isNamed">True for a named group: the cursor's whole entry is written, and for each message.</param>
    /// <param name="overrunBy">The lane's control block when its producer may overrun this reader, which then copies and checks; null when
    /// the cursor protects it.</param>
    public LaneReader(
        MappedSpan data, MappedSpan cursor, long position, long sequence, bool isNamed = false, LaneControl? overrunBy = null)
    {
        _isLossy = overrunBy is not null;
        _control = overrunBy ?? default;
        long capacityBytes = data.LengthBytes / 2;
        _data = (byte*)data.Address(0);
        _mask = capacityBytes - RecordHeader.AlignmentBytes; // a position that a peer made up is read at a word, too
        _maxPayloadBytes = LaneLayout.MaxPayloadBytes(capacityBytes);
        _releaseBytes = isNamed ? 1 : capacityBytes / 8;
        _cursor = cursor;
        _span = data;
        _isNamed = isNamed;
        _position = _released = position;
        _sequence = sequence;
        if (isNamed)
        {
            CountFailover();
        }
    }

    /// <summary>Messages below this position were handed out before, to somebody who did not acknowledge them.</summary>
    public long HandedBefore { get; private set; }

    /// <summary>How often, at least, a message below <see cref="HandedBefore"/> was handed out, this time included.</summary>
    public int DeliveryCount { get; private set; } = 1;

    /// <summary>The cursor does not pass this position: a message there is not acknowledged yet.</summary>
    public long Ceiling { get; set; } = long.MaxValue;

    /// <summary>Position of the next record to read.</summary>
    public long Position => _position;

    /// <summary>Number of the next message to read.</summary>
    public long Sequence => _sequence;

    /// <summary>True when a record (or something that must be reported) stands at the reader's position.</summary>
    public bool HasNext
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_isLossy)
            {
                return HasNextLossy();
            }

            ulong header = Atomics.Acquire(ref HeaderWord);
            return header != 0 && !IsReported(header);
        }
    }

    private ref ulong HeaderWord
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *(ulong*)(_data + (_position & _mask));
    }

    /// <summary>Steps over the next record; everything before it counts as finished with. False when there is none.</summary>
    /// <exception cref="ShmCorruptionException">The header is not one that a producer writes; thrown once for it.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(out LaneRecord record)
    {
        if (_isLossy)
        {
            return TryReadLossy(out record);
        }

        ulong header = Atomics.Acquire(ref HeaderWord); // SYNC: record visible to reader
        if (!RecordHeader.IsValid(header, _sequence, _maxPayloadBytes))
        {
            record = default;
            return Refuse(header);
        }

        long position = _position;
        int extensionBytes = RecordHeader.ExtensionBytes(header);
        int payloadBytes = (int)RecordHeader.PayloadBytes(header);
        record = new LaneRecord(position, _sequence, (position & _mask) + RecordHeader.Bytes + extensionBytes, payloadBytes);
        StepOver(RecordHeader.RecordBytes(extensionBytes, payloadBytes));
        return true;
    }

    /// <summary>What most reads are, in as few steps as can be: a record without extensions, while there is not much to give back, by a
    /// reader that neither copies nor is in a named group. False says nothing: <see cref="TryRead"/> is for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStep(out LaneRecord record)
    {
        long position = _position;
        long sequence = _sequence;
        long index = position & _mask;
        ulong header = Atomics.Acquire(ref *(ulong*)(_data + index)); // SYNC: record visible to reader
        if (!RecordHeader.IsPlain(header, sequence, _maxPayloadBytes) || position - _released >= _releaseBytes)
        {
            record = default;
            return false;
        }

        int payloadBytes = (int)RecordHeader.PayloadBytes(header);
        record = new LaneRecord(position, sequence, index + RecordHeader.Bytes, payloadBytes);
        _position = position + RecordHeader.RecordBytes(0, payloadBytes);
        _sequence = sequence + 1;
        return true;
    }

    /// <summary>The payload of a record of <see cref="TryStep"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> PayloadInPlace(LaneRecord record) => new(_data + record.PayloadIndex, record.PayloadBytes);

    /// <summary>The payload of a record that was read and not yet released.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Payload(LaneRecord record) => _isLossy
        ? _copy.AsSpan((int)record.PayloadIndex, record.PayloadBytes)
        : new(_data + record.PayloadIndex, record.PayloadBytes);

    /// <summary>Steps over up to <paramref name="most"/> further records and gives nothing back. Stops at whatever is not a record; the
    /// next <see cref="TryRead"/> says what it is. A reader that copies has room for one.</summary>
    public int ReadOn(int most)
    {
        int count = 0;
        long position = _position;
        long sequence = _sequence;
        for (; count < most && !_isLossy; count++)
        {
            ulong header = Atomics.Acquire(ref *(ulong*)(_data + (position & _mask))); // SYNC: record visible to reader
            if (RecordHeader.IsPlain(header, sequence, _maxPayloadBytes))
            {
                position += RecordHeader.RecordBytes(0, RecordHeader.PayloadBytes(header));
            }
            else if (RecordHeader.IsValid(header, sequence, _maxPayloadBytes))
            {
                position += RecordHeader.RecordBytes(RecordHeader.ExtensionBytes(header), RecordHeader.PayloadBytes(header));
            }
            else
            {
                break;
            }

            sequence++;
        }

        (_position, _sequence) = (position, sequence);
        if (_isNamed)
        {
            Atomics.Release(ref _cursor.UInt64(LaneGate.HandedOffset), (ulong)Math.Max(_position, HandedBefore));
        }

        return count;
    }

    /// <summary>The payload of a record that was read and not yet released, and the position of the next, where nothing special is to be
    /// done. False says nothing; <see cref="RecordAt"/> is for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPayloadAt(long position, long sequence, out ReadOnlySpan<byte> payload, out long next)
    {
        byte* record = _data + (position & _mask);
        ulong header = Atomics.Acquire(ref *(ulong*)record);
        int payloadBytes = RecordHeader.IsPlain(header, sequence, _maxPayloadBytes) ? (int)RecordHeader.PayloadBytes(header) : -1;
        payload = payloadBytes >= 0 ? new(record + RecordHeader.Bytes, payloadBytes) : default;
        next = position + RecordHeader.RecordBytes(0, payloadBytes);
        return payloadBytes >= 0;
    }

    /// <summary>Once more a record that was read and not yet released, and the position of the next.</summary>
    /// <exception cref="ShmCorruptionException">Its header has changed meanwhile.</exception>
    public LaneRecord RecordAt(long position, long sequence, out long next)
    {
        if (_isLossy)
        {
            next = _position;
            return _last;
        }

        ulong header = Atomics.Acquire(ref *(ulong*)(_data + (position & _mask)));
        if (!RecordHeader.IsValid(header, sequence, _maxPayloadBytes))
        {
            throw Corrupt(header, position, sequence);
        }

        int extensionBytes = RecordHeader.ExtensionBytes(header);
        int payloadBytes = (int)RecordHeader.PayloadBytes(header);
        next = position + RecordHeader.RecordBytes(extensionBytes, payloadBytes);
        return new LaneRecord(position, sequence, (position & _mask) + RecordHeader.Bytes + extensionBytes, payloadBytes);
    }

    /// <summary>What was read and not given back is an eighth of the lane.</summary>
    public bool IsReleaseDue => _position - _released >= _releaseBytes;

    /// <summary>Gives back what was read once it is an eighth of the lane. Call it before each read, and then look who waits for
    /// room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ReleaseIfDue()
    {
        if (IsReleaseDue)
        {
            Release();
        }
    }

    /// <summary>Gives back everything before the reader's position to the producer. True when the cursor moved.</summary>
    public bool Release()
    {
        long position = Math.Min(_position, Ceiling);
        if (_released == position || _cursor.LengthBytes == 0)
        {
            return false;
        }

        _released = position;
        Atomics.Release(ref _cursor.UInt64(0), (ulong)position); // SYNC: reader done with the bytes below its cursor
        return true;
    }

    /// <summary>Number of the first message that is not there yet.</summary>
    public long EndSequence(LaneControl control) =>
        _isLossy ? FindEndLossy().Sequence : new LaneScan(_span, control).End(_position, _sequence).Sequence;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StepOver(long recordBytes)
    {
        _position += recordBytes;
        _sequence++;
        if (_isNamed)
        {
            Atomics.Release(ref _cursor.UInt64(LaneGate.HandedOffset), (ulong)Math.Max(_position, HandedBefore));
        }
    }

    /// <summary>Somebody read before us: what was handed out and not acknowledged comes again.</summary>
    private void CountFailover()
    {
        HandedBefore = (long)Atomics.Acquire(ref _cursor.UInt64(LaneGate.HandedOffset));
        if (HandedBefore <= _position)
        {
            return;
        }

        ulong before = Atomics.Acquire(ref _cursor.UInt64(LaneGate.FailoversOffset));
        ulong place = Atomics.Acquire(ref _cursor.UInt64(LaneGate.FailoverPositionOffset));
        int failovers = before != 0 && place == (ulong)_position ? (int)Math.Min(before, int.MaxValue - 2) + 1 : 1;
        Atomics.Store(ref _cursor.UInt64(LaneGate.FailoversOffset), (ulong)failovers);
        Atomics.Store(ref _cursor.UInt64(LaneGate.FailoverPositionOffset), (ulong)_position);
        DeliveryCount = failovers + 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Refuse(ulong header)
    {
        if (header == 0)
        {
            Release();
            return false;
        }

        if (!IsReported(header))
        {
            (_reportedHeader, _reportedPosition) = (header, _position);
            throw Corrupt(header, _position, _sequence);
        }

        return false;
    }

    private bool IsReported(ulong header) => header == _reportedHeader && _position == _reportedPosition;

    private ShmCorruptionException Corrupt(ulong header, long position, long sequence) => new(
        $"The word 0x{header:X16} at position {position} is not the header of message {sequence} (present bit, known flags, "
        + $"number {sequence & (long)RecordHeader.SequenceMask} in its low 24 bits, at most {_maxPayloadBytes} bytes). A peer "
        + "damaged the lane; "
        + "its messages behind this point cannot be read until that word changes.");
}
