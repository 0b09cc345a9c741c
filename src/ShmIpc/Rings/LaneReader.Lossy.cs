// A reader that may be overrun: nothing that it does holds the producer back. It copies each record, looks whether the producer may
// have reached it meanwhile, and only then hands it out; where it was overrun, it goes on at the floor and says how much it lost.
//
// THE ARGUMENT. The producer writes only below floor + capacity, the floor being the one that stands in the lane's control block: to
// write further it stores a higher floor, passes a full fence, and then overwrites (LaneWriter.cs, I3; a successor starts from the same
// cell). So:
//   - A reader at position p that sees any byte of [p, p + capacity) that belongs to a later lap, and then, behind an acquire fence,
//     loads the floor, sees one above p. In other words: floor <= p after the copy means that header and copy are of this lap.
//   - A word that is not the expected header means damage only if the floor is still <= p after it was read; otherwise it is a later
//     lap's, or a payload's, and means nothing. A terminator, too, means "nothing here yet" only then.
//   - The floor is a record's position and its number, as a pair that is never torn (PositionCell.cs). Messages of a lane are numbered
//     without gaps, so the numbers between the reader's and the floor's are exactly the messages that it lost.
//   - Header and lengths are used from locals that were bounded first, so bytes of a later lap lead at worst to a copy that is thrown
//     away, never out of the mirrored mapping.
// A reader that is overrun while it copies tries again at the new floor; one that is overrun a thousand times running (no producer is so
// fast, but a peer may write anything) says "nothing" for once.
//
// It stores a cursor as any reader does, if it has one: producers that gate on it do not overrun it as long as they do; otherwise it is
// for people, and for whoever continues the group.

using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed unsafe partial class LaneReader
{
    private const int MaxAttempts = 1_000;
    private readonly bool _isLossy;
    private readonly LaneControl _control;
    private byte[] _copy = [];
    private LaneRecord _last;
    private (long Position, long Sequence) _reportedFloor = (-1, -1);

    /// <summary>Messages that were overwritten before they were read, between where this reader started and where it is now.</summary>
    public long Lost { get; private set; }

    /// <summary>What <see cref="LaneRecord.PayloadIndex"/> of the record that was read last counts in, when it is a copy.</summary>
    public ReadOnlyMemory<byte> Copied => _copy;

    /// <summary>Goes to the lane's end; what it passes over does not count as lost.</summary>
    public void SkipToEnd() => (_position, _sequence) = FindEndLossy();

    private bool HasNextLossy()
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            ulong header = Atomics.Acquire(ref HeaderWord);
            if (!TryCatchUp())
            {
                return header != 0 && !IsReported(header);
            }
        }

        return false;
    }

    private bool TryReadLossy(out LaneRecord record)
    {
        record = default;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            ulong header = Atomics.Acquire(ref HeaderWord); // SYNC: record visible to reader
            bool isValid = RecordHeader.IsValid(header, _sequence, _maxPayloadBytes);
            int extensionBytes = RecordHeader.ExtensionBytes(header);
            int payloadBytes = (int)RecordHeader.PayloadBytes(header);
            if (isValid)
            {
                Copy(extensionBytes + payloadBytes);
            }

            if (TryCatchUp())
            {
                continue;
            }

            if (!isValid)
            {
                return Refuse(header);
            }

            record = _last = new LaneRecord(_position, _sequence, extensionBytes, payloadBytes);
            StepOver(RecordHeader.RecordBytes(extensionBytes, payloadBytes));
            return true;
        }

        return false;
    }

    /// <summary>Position and number of the first message that is not there yet. What was overwritten counts as lost from here on.</summary>
    private (long Position, long Sequence) FindEndLossy()
    {
        LaneScan scan = new(_span, _control);
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            (long position, (long Position, long Sequence) end) = (_position, scan.End(_position, _sequence));
            if (!TryCatchUp())
            {
                return end;
            }

            if (_position == position)
            {
                break; // a floor that makes no sense: looking again, over the whole lane, finds the same
            }
        }

        return (_position, _sequence);
    }

    /// <summary>Looks at the floor, behind every load before. False when it has not passed the reader: what was loaded is good. True when
    /// the reader has moved up to it, or when the floor makes no sense.</summary>
    /// <exception cref="ShmCorruptionException">The floor is not one that a producer stores; thrown once for it.</exception>
    private bool TryCatchUp()
    {
        Atomics.ReadBarrier(); // SYNC: floor visible before the bytes below it are overwritten
        (long position, long sequence) = _control.Floor.Read();
        if (position <= _position)
        {
            return false;
        }

        long lost = sequence - _sequence;
        if ((position & (RecordHeader.AlignmentBytes - 1)) == 0
            && lost > 0 && lost <= (position - _position) / RecordHeader.AlignmentBytes)
        {
            (_position, _sequence) = (position, sequence);
            Lost += lost;
        }
        else if (_reportedFloor != (position, sequence))
        {
            _reportedFloor = (position, sequence);
            ThrowCorruptFloor(position, sequence);
        }

        return true;
    }

    private void Copy(int lengthBytes)
    {
        if (_copy.Length < lengthBytes)
        {
            _copy = GC.AllocateUninitializedArray<byte>((int)BitOperations.RoundUpToPowerOf2((uint)lengthBytes));
        }

        new ReadOnlySpan<byte>(_data + (_position & _mask) + RecordHeader.Bytes, lengthBytes).CopyTo(_copy);
    }

    [DoesNotReturn]
    private void ThrowCorruptFloor(long position, long sequence) => throw new ShmCorruptionException(
        $"The lane's floor (message {sequence} at position {position}) cannot lie behind message {_sequence} at position {_position}. A "
        + "peer damaged the lane; its messages cannot be read until its producer moves the floor.");
}
