// The producer's half of a lane, where it begins, and what a lane has more that is to survive a power cut. Continues LaneWriter.cs.
//
// WHAT A DISK HOLDS after a power cut, of each 512-byte sector: what it had when it was last flushed, or anything it has had since. So
//   - nothing in memory says where a lane ends: it ends where the first record from the floor on is not whole (checksum, with the
//     position in it, so that no record of an earlier lap fits);
//   - the floor must be on the disk before anything below it is overwritten (ILaneJournal.FloorStored, between steps 5 and the limit):
//     whichever floor is found, the records from there on have not been overwritten, and readers are done with those before it;
//   - a position is written a second time only after what stood at and behind it is gone from the disk, too (TailCleared): positions
//     are repeated after an aborted batch, after a take-over, and after a recovery (LaneTail.cs).

using System.Numerics;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed unsafe partial class LaneWriter
{
    /// <summary>Take-over: find the end of what was committed.</summary>
    private void Resume(LaneTail tail)
    {
        (_floor, _floorSequence) = _control.Floor.Read();
        (long position, long sequence) = _control.Committed.Read();
        if (position < _floor)
        {
            (position, sequence) = (_floor, _floorSequence);
        }

        // The last position at which a terminator can stand: no producer claims more than a lane's worth above the floor.
        long last = _floor + _capacityBytes - RecordHeader.Bytes;
        long records = sequence - _floorSequence;
        bool isSound = _floor >= 0 && last >= position && ((position | _floor) & (RecordHeader.AlignmentBytes - 1)) == 0
            && _floorSequence >= 0 && records >= 0 && records <= (position - _floor) / RecordHeader.AlignmentBytes;
        if (!isSound)
        {
            throw new ShmCorruptionException(
                $"The lane's control block is damaged: committed {position} (message {sequence}), floor {_floor} (message "
                + $"{_floorSequence}), "
                + $"capacity {_capacityBytes} bytes. Delete the channel and create it anew.");
        }

        (_position, _sequence) = tail.FindEnd(position, sequence, last);
        Atomics.Release(ref *(ulong*)(_data + (_position & _mask)), 0);
        if (_checksum.IsOn)
        {
            // A joiner may still read below a floor that the dead producer stored and never acted upon; it did not write there either.
            tail.ClearRecords(_position, _sequence, LowestReader() + _capacityBytes);
            StorePublished();
        }

        StoreCommitted();
    }

    /// <summary>The floor, or a joiner's cursor or a member's record that is not there yet.</summary>
    private long LowestReader()
    {
        long lowest = _floor;
        ulong groups = GatingGroups & _gate.Existing;
        for (ulong rest = groups; rest != 0; rest &= rest - 1)
        {
            long cursor = (long)Atomics.Acquire(ref _gate.Cursor(BitOperations.TrailingZeroCount(rest)));
            lowest = cursor >= _position + RecordHeader.Bytes - _capacityBytes ? Math.Min(lowest, cursor) : lowest;
        }

        return _gate.LowestClaim(groups, _position + RecordHeader.Bytes - _capacityBytes, lowest, _isRecordAt);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong Seal(ulong header, int payloadBytes)
    {
        header |= RecordHeader.ChecksumFlag;
        byte* record = _data + (_position & _mask);
        ulong checksum = _checksum.Compute(_position, header, record + RecordHeader.Bytes + _extensionBytes, payloadBytes);
        Atomics.Store(ref *(ulong*)(record + RecordHeader.Bytes), checksum);
        return header;
    }

    private void StorePublished() =>
        Atomics.Release(ref _published, (ulong)VisibleEnd); // SYNC: published record visible to whoever flushes it
}
