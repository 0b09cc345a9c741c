// How the members of a shared group take records of one lane: each record goes to one of them.
//
// A member (1) reads the group's cursor, (2) reads the header there, (3) stores its intent for that position, (4) CASes the cursor from
// that position to the next record. Won, the record is its own until it clears the intent.
//
// WHY THE HEADER IS GOOD once the CAS has won: the cursor stood at the position from (1) to (4), because it only grows; a cursor that
// gates keeps the producer from overwriting what is at or above it, so (2) read the header of this very record. Before that it may be
// the bytes of anything, and is used for nothing but finding a number to try.
// WHY THE RECORD STAYS after it: the intent was stored before the CAS. A producer that sees the new cursor reads the intents after it
// (LaneWriter.cs), so it sees this one, too, until it is cleared.
// An intent whose CAS failed was never won: it only delays the producer until it is cleared, here or by whoever finds its owner dead.
//
// WHAT A MESSAGE COSTS in cache lines that change hands: those of the record, and 1 more where several members take turns, because whoever
// takes a record moves the cursor. The line with a member's intents is its own; the producer reads it about once a lap.
//
// Knows memory only. Not thread-safe: its owner serialises calls.

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed class SharedLaneReader
{
    private const int MaxAttempts = 64;
    private const long FarBytes = (long)RecordHeader.SequenceMask * RecordHeader.AlignmentBytes;
    private readonly MappedSpan _data;
    private readonly LaneScan _scan;
    private readonly MappedSpan _cursor;
    private readonly LaneControl _control;
    private readonly int _lane;
    private readonly long _capacityBytes;
    private long _knownPosition;
    private long _knownSequence;
    private ulong _reportedHeader;
    private long _reportedPosition = -1;

    /// <param name="data">The lane's data, mirrored; need not be writable.</param>
    /// <param name="control">The lane's control block.</param>
    /// <param name="cursor">The group's cursor word for this lane.</param>
    /// <param name="lane">The lane's number.</param>
    public SharedLaneReader(MappedSpan data, LaneControl control, MappedSpan cursor, int lane)
    {
        _data = data;
        _scan = new LaneScan(data, control);
        _cursor = cursor;
        _lane = lane;
        _capacityBytes = data.LengthBytes / 2;
        _control = control;
        (_knownPosition, _knownSequence) = control.Floor.Read(); // not the cursor: others may move it while its record is looked at
    }

    /// <summary>True when a record (or something that must be reported) stands at the group's cursor.</summary>
    public bool HasNext
    {
        get
        {
            long position = Position;
            ulong header = HeaderAt(position);
            return header != 0 && !IsReported(header, position);
        }
    }

    /// <summary>Messages that nobody has taken yet.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                long position = Position;
                long sequence = _scan.SequenceAt(position & ~(RecordHeader.AlignmentBytes - 1L));
                count = _scan.End(position, sequence).Sequence - sequence;
                if (Position == position)
                {
                    break; // so nothing that was looked at has been overwritten
                }
            }

            return Math.Max(count, 0);
        }
    }

    private long Position => (long)Atomics.Acquire(ref _cursor.UInt64(0));

    /// <summary>Takes the next record of the lane for the owner of <paramref name="intent"/>. False when there is none, or when others
    /// took every one that was tried.</summary>
    /// <exception cref="ShmCorruptionException">The header is not one that a producer writes; thrown once for it.</exception>
    public bool TryClaim(ref ulong intent, out LaneRecord record)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            long position = Position;
            ulong header = HeaderAt(position);
            if (header == 0)
            {
                break;
            }

            if (!TryDescribe(header, position, out record))
            {
                if (Position != position)
                {
                    continue; // somebody took it, and what was read may be anything
                }

                Report(header, position);
                break;
            }

            long next = position + RecordHeader.RecordBytes(RecordHeader.ExtensionBytes(header), record.PayloadBytes);
            Atomics.Release(ref intent, new Intent(_lane, 1, position).Word);
            if (Atomics.CompareExchange(ref _cursor.UInt64(0), (ulong)position, (ulong)next)) // SYNC: intent visible to producer
            {
                (_knownPosition, _knownSequence) = (next, record.Sequence + 1);
                return true;
            }

            Atomics.Release(ref intent, 0);
        }

        record = default;
        return false;
    }

    /// <summary>True when the cursor has passed a position: somebody won the record there.</summary>
    public bool IsPast(long position) => Position > position;

    /// <summary>The record at a position that an intent holds.</summary>
    /// <returns>False when there is none that a producer can have written.</returns>
    public bool TryRecall(long position, out LaneRecord record)
    {
        ulong header = _scan.HeaderAt(position);
        long sequence = _scan.SequenceAt(position);
        record = default;
        if (!RecordHeader.IsValid(header, sequence, _scan.MaxPayloadBytes))
        {
            return false;
        }

        record = Describe(header, position, sequence);
        return true;
    }

    /// <summary>The payload of a record that is held by an intent.</summary>
    public ReadOnlySpan<byte> Payload(LaneRecord record) => _data.Bytes(record.PayloadIndex, record.PayloadBytes);

    /// <summary>What stands at the cursor; where no record can begin, a word that is no header.</summary>
    private ulong HeaderAt(long position) =>
        (position & (RecordHeader.AlignmentBytes - 1)) == 0 ? _scan.HeaderAt(position) : ulong.MaxValue;

    private bool TryDescribe(ulong header, long position, out LaneRecord record)
    {
        (long known, long knownSequence) = (_knownPosition, _knownSequence);
        if (position - known > FarBytes)
        {
            (known, knownSequence) = _control.Floor.Read(); // more may lie between than 24 bits can count
        }

        long sequence = position - known > FarBytes
            ? _scan.SequenceAt(position)
            : LaneScan.Extend(knownSequence, (long)RecordHeader.Sequence24(header));
        bool isPossible = position >= known
            && sequence >= knownSequence && sequence - knownSequence <= (position - known) / RecordHeader.AlignmentBytes
            && RecordHeader.IsValid(header, sequence, _scan.MaxPayloadBytes);
        record = isPossible ? Describe(header, position, sequence) : default;
        return isPossible;
    }

    private LaneRecord Describe(ulong header, long position, long sequence) => new(
        position,
        sequence,
        (position & (_capacityBytes - 1)) + RecordHeader.Bytes + RecordHeader.ExtensionBytes(header),
        (int)RecordHeader.PayloadBytes(header));

    private void Report(ulong header, long position)
    {
        if (!IsReported(header, position))
        {
            (_reportedHeader, _reportedPosition) = (header, position);
            ThrowCorrupt(header, position);
        }
    }

    private bool IsReported(ulong header, long position) => header == _reportedHeader && position == _reportedPosition;

    [DoesNotReturn]
    private void ThrowCorrupt(ulong header, long position) => throw new ShmCorruptionException(
        $"The group's cursor for lane {_lane} stands at {position}, where the word 0x{header:X16} is not the header of a record behind "
        + $"message {_knownSequence - 1}. A peer damaged the lane or the cursor; what lies behind cannot be read until that changes.");
}
