// Looks at a lane from outside: where it ends, and which number the record at a position has. For those who do not read it record by
// record from a known place: members of shared groups, newcomers that continue at a stored cursor, counts and lags.
//
// Nothing here runs on for longer than one lap, nor reads at an address that is not a word's, whatever stands in the control block.
//
// What it says is right as long as the records it looks at cannot be overwritten, that is, while a gating cursor or an intent stands at
// or below them; or where the floor is found not to have passed them afterwards (LaneReader.Lossy.cs).

using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal readonly unsafe struct LaneScan(MappedSpan data, LaneControl control)
{
    private const int MaxAttempts = 1_000;
    private readonly byte* _data = (byte*)data.Address(0);
    private readonly long _capacityBytes = data.LengthBytes / 2;
    private readonly LaneControl _control = control;

    public long MaxPayloadBytes => LaneLayout.MaxPayloadBytes(_capacityBytes);

    /// <param name="position">A multiple of 8; of any other, the word that holds it.</param>
    public ulong HeaderAt(long position) =>
        Atomics.Acquire(ref *(ulong*)(_data + (position & (_capacityBytes - RecordHeader.AlignmentBytes))));

    /// <summary>Position and number of the first message that is not there yet.</summary>
    /// <param name="position">A record's position.</param>
    /// <param name="sequence">Its number.</param>
    public (long Position, long Sequence) End(long position, long sequence)
    {
        long start = position;
        (long committed, long committedSequence) = _control.Committed.Read();
        long ahead = committedSequence - sequence;
        if (committed >= position && committed - position <= _capacityBytes
            && ahead >= 0 && ahead <= (committed - position) / RecordHeader.AlignmentBytes)
        {
            (position, sequence) = (committed, committedSequence);
        }

        return Walk(position, sequence, start + _capacityBytes);
    }

    /// <summary>Position and number of the first message that is not there yet, in a lane that nobody holds back. It is the floor where
    /// that passes every look.</summary>
    public (long Position, long Sequence) EndOverFloor()
    {
        (long Position, long Sequence) floor = _control.Floor.Read();
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            (long Position, long Sequence) end = End(floor.Position, floor.Sequence);
            Atomics.ReadBarrier(); // SYNC: floor visible before the bytes below it are overwritten
            long looked = floor.Position;
            floor = _control.Floor.Read();
            if (floor.Position <= looked)
            {
                return end;
            }
        }

        return floor;
    }

    /// <summary>Number of the message at a position, which is a record's or the end.</summary>
    public long SequenceAt(long position)
    {
        (long committed, long committedSequence) = _control.Committed.Read();
        (long floor, long floorSequence) = _control.Floor.Read();
        ulong header = HeaderAt(position);
        if ((header & RecordHeader.Present) == 0)
        {
            return position == committed ? committedSequence
                : committed < position && committed >= floor ? Walk(committed, committedSequence, position).Sequence
                : Walk(floor, floorSequence, position).Sequence;
        }

        // From the nearer of the two known numbers: 24 bits then tell the whole number.
        long low = (long)RecordHeader.Sequence24(header);
        return committed >= position && committed - position < position - floor
            ? committedSequence - ((committedSequence - low) & (long)RecordHeader.SequenceMask)
            : Extend(floorSequence, low);
    }

    /// <summary>The first number from <paramref name="atLeast"/> on whose low 24 bits are <paramref name="low"/>.</summary>
    public static long Extend(long atLeast, long low) => atLeast + ((low - atLeast) & (long)RecordHeader.SequenceMask);

    private (long Position, long Sequence) Walk(long position, long sequence, long end)
    {
        for (long walked = position; position < end && position - walked < _capacityBytes;)
        {
            ulong header = HeaderAt(position);
            if (!RecordHeader.IsValid(header, sequence, MaxPayloadBytes))
            {
                break;
            }

            position += RecordHeader.RecordBytes(RecordHeader.ExtensionBytes(header), RecordHeader.PayloadBytes(header));
            sequence++;
        }

        return (position, sequence);
    }
}
