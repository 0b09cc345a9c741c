// The producer's half of a lane: a ring with one producer at a time and many readers.
//
// THE FIELDS                              written by                      read by
//   header at position p (lane data)      the producer                    readers, a later producer (take-over)
//   payload (lane data)                   the producer                    readers
//   committed, floor (control block)      the producer                    newcomers, a later producer, diagnosis
//   owner (control block)                 CAS by whoever takes the lane   everybody
//   cursor[group] (LaneGate)              that group's active consumer    the producer
//   intents (LaneGate)                    members of shared groups        the producer
//   active, version (LaneGate)            whoever joins, leaves, evicts   the producer
//
// THE INVARIANTS
//   I1  The header word at the producer's next position is 0 (the terminator), at every instant at which the producer may die.
//   I2  A record is visible exactly when its header is not 0, and then it is complete.
//   I3  No byte of a record at or above the smallest gating cursor, or of one that a member of a shared group holds,
//       is overwritten.
//
// WHY THEY HOLD
//   Publishing at p with the following position n: the payload is written to [p+8, n), then 0 is stored at n, then the header is
//   release-stored at p. Before the last store the word at p is still 0 (I1 of the previous step), so nothing is visible; after it,
//   the payload and the new terminator are visible too, because the release orders them before it (I2), and I1 holds for n. A death
//   between any two stores leaves 0 at p: the record does not exist, and what was written behind p is overwritten by the next claim.
//   A claim therefore needs room for its record *and* for the terminator behind it.
//   A batch writes records 2..n completely and the *first* header last: until then p holds 0, so the argument above covers the batch.
//   Stale bytes of an earlier lap are never taken for a header: the only words that anybody interprets are at positions to which
//   the producer stored a terminator or a header in this lap.
//
//   I3: the producer writes only below limit = (smallest cursor it saw) + capacity. To raise the limit it (1) reads the version,
//   (2) reads the active groups, their cursors, and then what members hold, (3) stores the new floor, (4) fences, (5) re-reads the
//   version, and starts again if it changed. A consumer that joins stores its cursors, sets its active bit, raises the version with a
//   full fence, re-reads the floor and moves up to it. If the producer's (5) saw the old version, its (3) is before the joiner's raise
//   in the order of the fences, so the joiner's re-read sees the new floor and moves up; otherwise the producer starts again and sees
//   the joiner's bit.
//   A joiner's first cursor may lie below limit - capacity; it then only delays (the limit never sinks), until the joiner moves up.
//   A joiner whose re-read came before a (3) that is not yet acted upon stays below that floor, and above limit - capacity: safe.
//   Cursors only grow, and a consumer release-stores its cursor after it has finished with the bytes below it.
//   So a consumer that has joined has a cursor from max(limit, position + 8) - capacity to the visible end, at a record. Any other
//   is suspect: the limit does not rise before the channel has retired that group (or the joiner has moved up).
//
//   What a member of a shared group holds: it stores its intent before it moves the cursor over the record by CAS (SharedLaneReader.cs),
//   and (2) reads the cursors first. So either the cursor that was read is not past the record, or its intent is seen, until it is
//   cleared. It counts down to limit - capacity, below the floor, too: a scan that missed it may have stored a floor above it already,
//   which its heir, who raises the version, did not see; the scan that follows has to see the intent all the same.
//   Whoever takes over a dead member's intent raises the version and looks at the floor before it believes in the record.
//
//   Readers that no cursor protects (LaneReader.Lossy.cs) rely on (3) and (4) alone: whoever sees a byte of a later lap, and then looks at
//   the floor, sees one above that byte's old position. A lane without a gate (DropOldest) takes those steps as if nobody were active.
//
//   Take-over after a death: the new owner scans from max(committed, floor) over complete records to the terminator (I1, I2), and
//   continues there with the next sequence number. It starts without a limit, so its first claim goes through steps 1 to 5: a floor
//   that the dead producer had stored, but not yet acted upon, is not trusted to be free space.
//
//   Where records are checksummed, and how a lane survives a power cut: LaneWriter.Durable.cs.
//
//   models/lane.pml checks publish, batch, reading and take-over with deaths between any two steps, models/join.pml the joiner.
//
// WHAT A MESSAGE COSTS in cache lines that change hands: the line with its header (and the lines of its payload), nothing else. The
// cursor line is read once a lap or so, when the limit is reached; committed and floor are read by nobody in steady state.
//
// Knows memory only: no file, name, clock or system call. Not thread-safe: its owner serialises calls.

using System.Numerics;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed unsafe partial class LaneWriter
{
    private const int MaxRefreshAttempts = 1_000;
    private readonly LaneControl _control;
    private readonly LaneGate _gate;
    private readonly Func<long, bool> _isRecordAt;
    private readonly bool _isGated;
    private readonly byte* _data;
    private readonly long _capacityBytes;
    private readonly long _mask;
    private readonly RecordChecksum _checksum;
    private readonly int _extensionBytes;
    private readonly ILaneJournal? _journal;
    private long _position;
    private ulong _published;
    private long _sequence;
    private long _limit;
    private long _maxAppendBytes; // of TryAppend; -1 while a batch is open
    private long _maxBatchedBytes; // of TryAppendToBatch; -1 while none is
    private long _floor;
    private long _floorSequence;
    private long _committedSequence;
    private bool _isBatching;
    private long _batchPosition;
    private long _batchSequence;
    private ulong _batchHeader;

    /// <summary>Continues the lane where its last owner left it. The caller owns the lane: its stamp stands in the owner word.</summary>
    /// <param name="control">The lane's control block.</param>
    /// <param name="data">The lane's data, mirrored: twice its capacity.</param>
    /// <param name="gate">The cursors that gate the lane.</param>
    /// <param name="isGated">False: nobody's cursor holds the producer back, the oldest records make room.</param>
    /// <param name="checksum">Whether the lane's records carry checksums.</param>
    /// <param name="journal">What makes the lane survive a power cut; null where nothing does. Needs checksums.</param>
    /// <exception cref="ShmCorruptionException">The control block holds positions that no producer can have left.</exception>
    public LaneWriter(
        LaneControl control,
        MappedSpan data,
        LaneGate gate,
        bool isGated = true,
        RecordChecksum checksum = default,
        ILaneJournal? journal = null)
    {
        _control = control;
        _gate = gate;
        _isGated = isGated;
        _isRecordAt = IsRecordAt;
        _checksum = checksum;
        _extensionBytes = checksum.ExtensionBytes;
        _journal = journal;
        _capacityBytes = data.LengthBytes / 2;
        _mask = _capacityBytes - 1;
        _data = (byte*)data.Address(0);
        MaxPayloadBytes = LaneLayout.MaxPayloadBytes(_capacityBytes) - _extensionBytes;
        SetBatching(false);
        Resume(new LaneTail(data, checksum));
    }

    /// <summary>Largest payload of one message.</summary>
    public long MaxPayloadBytes { get; }

    /// <summary>Position of the next record.</summary>
    public long Position => _position;

    /// <summary>Number of the next message of the lane.</summary>
    public long Sequence => _sequence;

    /// <summary>In a lane with checksums, for any thread: everything below this position is published.</summary>
    public long Published => (long)Atomics.Acquire(ref _published); // SYNC: published record visible to whoever flushes it

    /// <summary>Groups whose cursor makes no sense (outside what can be read, or not at a record), or that do not exist; found by the last
    /// refresh. The lane does not move on before they are retired.</summary>
    public ulong SuspectGroups { get; private set; }

    /// <summary>Bytes of payload that can be claimed now without looking at the cursors again; may be negative.</summary>
    public long RoomBytes => Math.Min(_limit - _position - (2 * RecordHeader.Bytes) - _extensionBytes, MaxPayloadBytes);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReserveSlow(long payloadBytes) => payloadBytes <= MaxPayloadBytes
        ? TryRefresh(EndOf(payloadBytes))
        : throw new ShmMessageTooLargeException(payloadBytes, MaxPayloadBytes);

    /// <summary>Steps 1 to 5 of I3. True when a record that ends (terminator included) at <paramref name="end"/> fits.</summary>
    private bool TryRefresh(long end)
    {
        for (int attempt = 0; attempt < MaxRefreshAttempts; attempt++)
        {
            ulong version = Atomics.Acquire(ref _gate.Version);
            long lowest = LowestCursor(end);
            if (SuspectGroups != 0)
            {
                return false;
            }

            if (lowest > _floor)
            {
                _floorSequence = SequenceAt(lowest);
                _floor = lowest;
                _control.Floor.Write(_floor, _floorSequence);
            }

            // SYNC: floor visible to joiner, or joiner's version visible here
            // SYNC: floor visible before the bytes below it are overwritten
            Atomics.FullFence();
            if (Atomics.Acquire(ref _gate.Version) == version || !_isGated)
            {
                if (lowest + _capacityBytes > _limit)
                {
                    _journal?.FloorStored();
                    _limit = lowest + _capacityBytes;
                }

                return end <= _limit;
            }
        }

        return false; // consumers come and go (or a peer scribbles) without pause: full, for now
    }

    private long LowestCursor(long end)
    {
        ulong active = GatingGroups;
        ulong existing = active & _gate.Existing;
        SuspectGroups = active & ~existing;
        long lowest = VisibleEnd;
        for (ulong rest = existing; rest != 0; rest &= rest - 1)
        {
            int group = BitOperations.TrailingZeroCount(rest);
            long cursor = (long)Atomics.Acquire(ref _gate.Cursor(group)); // SYNC: reader done with the bytes below its cursor
            if (IsSuspect(cursor))
            {
                SuspectGroups |= 1UL << group;
            }

            lowest = Math.Min(lowest, cursor);
        }

        lowest = _gate.LowestClaim(existing, LowestIntact, lowest, _isRecordAt);

        // With nobody to wait for, the oldest records make room: as many as are needed, and an eighth of the lane at a time.
        return active != 0 ? lowest : WalkFrom(_floor, end - _capacityBytes + (_capacityBytes / 8)).Position;
    }

    private ulong GatingGroups => _isGated ? Atomics.Acquire(ref _gate.Active) : 0;

    /// <summary>What stands below may have been overwritten.</summary>
    private long LowestIntact => Math.Max(_limit, _position + RecordHeader.Bytes) - _capacityBytes;

    private bool IsSuspect(long cursor) =>
        cursor > VisibleEnd || cursor < LowestIntact
        || (cursor & (RecordHeader.AlignmentBytes - 1)) != 0 || (cursor > _floor && !IsRecordAt(cursor));

    /// <summary>A cursor between floor and position stands at a record when its header has a number that fits there.</summary>
    private bool IsRecordAt(long position)
    {
        if (position == VisibleEnd)
        {
            return true;
        }

        // 1 to 2^24: a large lane holds more records than 24 bits can count, and then any number fits.
        ulong header = HeaderAt(position);
        long behind = (long)(((ulong)_sequence - 1 - RecordHeader.Sequence24(header)) & RecordHeader.SequenceMask) + 1;
        return (header & RecordHeader.Present) != 0 && behind <= (_position - position) / RecordHeader.AlignmentBytes;
    }

    private long SequenceAt(long position)
    {
        if (position == VisibleEnd)
        {
            return _isBatching ? _batchSequence : _sequence;
        }

        if (_sequence - _floorSequence > (long)RecordHeader.SequenceMask)
        {
            return WalkFrom(_floor, position).Sequence;
        }

        // Fewer records are outstanding than 24 bits can count, so the header's low bits tell the whole number.
        ulong behind = ((ulong)_sequence - RecordHeader.Sequence24(HeaderAt(position))) & RecordHeader.SequenceMask;
        return _sequence - (long)behind;
    }

    /// <summary>Steps over whole records, from the floor to the first one at or behind <paramref name="target"/>.</summary>
    private (long Position, long Sequence) WalkFrom(long position, long target)
    {
        long sequence = _floorSequence;
        while (position < target && position < VisibleEnd)
        {
            ulong header = HeaderAt(position);
            long next = position + RecordHeader.RecordBytes(RecordHeader.ExtensionBytes(header), RecordHeader.PayloadBytes(header));
            if (!RecordHeader.IsValid(header, sequence, MaxPayloadBytes + _extensionBytes) || next > VisibleEnd)
            {
                throw new ShmCorruptionException(
                    $"The lane's own record {sequence} at position {position} was overwritten (header 0x{header:X16}). Delete the "
                    + "channel and create it anew.");
            }

            position = next;
            sequence++;
        }

        return (position, sequence);
    }

    /// <summary>Where readers stop: the position, or the start of the open batch.</summary>
    private long VisibleEnd => _isBatching ? _batchPosition : _position;

    private ulong HeaderAt(long position) => Atomics.Acquire(ref *(ulong*)(_data + (position & _mask)));
}
