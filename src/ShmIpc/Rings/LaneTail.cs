// The end of a lane: where whoever continues a lane finds it, and how everything behind it is taken away.
//
// Why a tail is cleared, in lanes with checksums: a record that was written completely and never published (the later ones of a batch whose
// first header was not stored, or whole records behind a torn one) has a checksum that fits its position. Harmless in memory, where
// the terminator stands in front of it; but on a disk the sector of the terminator may be older than the sector of that record. So
// before a position is written for a second time, everything at or behind it that could pass for a record is made 0, durably.

using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal readonly unsafe struct LaneTail(MappedSpan data, RecordChecksum checksum)
{
    private const ulong TypeMask = 0xFFUL << RecordHeader.FlagsShift;
    private const int LeastRecordBytes = RecordHeader.Bytes + sizeof(ulong);
    private readonly byte* _data = (byte*)data.Address(0);
    private readonly long _capacityBytes = data.LengthBytes / 2;
    private readonly RecordChecksum _checksum = checksum;

    /// <summary>Steps over complete records to the first position at which there is none.</summary>
    /// <param name="position">Where to start: a record's boundary.</param>
    /// <param name="sequence">Number of the message there.</param>
    /// <param name="last">The last position at which a terminator can stand.</param>
    public (long Position, long Sequence) FindEnd(long position, long sequence, long last)
    {
        long maxPayloadBytes = LaneLayout.MaxPayloadBytes(_capacityBytes);
        while (position <= last)
        {
            ulong header = Atomics.Acquire(ref WordAt(position)); // SYNC: record visible to reader
            if (!RecordHeader.IsValid(header, sequence, maxPayloadBytes))
            {
                break; // the terminator; anything else is a peer's scribble and ends here too
            }

            long next = position + RecordHeader.RecordBytes(RecordHeader.ExtensionBytes(header), RecordHeader.PayloadBytes(header));
            if (next > last || !_checksum.Fits(position, header, _data + (position & (_capacityBytes - 1))))
            {
                break; // another scribble: no producer leaves a record without room for the terminator behind it
            }

            position = next;
            sequence++;
        }

        return (position, sequence);
    }

    /// <summary>Takes away whatever could pass for a record of a lane that goes on at <paramref name="from"/> with message
    /// <paramref name="sequence"/>. What cannot is left alone, so that few pages have to be written.</summary>
    public void ClearRecords(long from, long sequence, long to)
    {
        for (long position = from; position < to; position += RecordHeader.AlignmentBytes)
        {
            ref ulong word = ref WordAt(position);
            ulong ahead = (RecordHeader.Sequence24(word) - (ulong)sequence) & RecordHeader.SequenceMask;
            if ((word & TypeMask) == (RecordHeader.Present | RecordHeader.ChecksumFlag)
                && ahead <= (ulong)((position - from) / LeastRecordBytes))
            {
                Atomics.Store(ref word, 0);
            }
        }
    }

    /// <summary>Makes everything from <paramref name="from"/> to <paramref name="to"/> zero.</summary>
    public void ClearAll(long from, long to)
    {
        const int Step = 1 << 20;
        for (long position = from; position < to; position += Step)
        {
            Atomics.Clear(new Span<byte>(
                _data + (position & (_capacityBytes - 1)), (int)Math.Min(Math.Min(Step, _capacityBytes), to - position)));
        }
    }

    private ref ulong WordAt(long position) => ref *(ulong*)(_data + (position & (_capacityBytes - 1)));
}
