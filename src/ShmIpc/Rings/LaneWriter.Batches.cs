// Batches: several records that become visible by one store, that of the first one's header. Why that is correct, and what happens when
// the producer dies in between, is said at the top of LaneWriter.cs.
//
// All of a batch stands in the lane before a reader can see, and so finish with, any of it. A batch can therefore wait for readers to
// give back what stands before it, and never for more: with the terminator it has the lane's capacity at most.

using System.Runtime.CompilerServices;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed unsafe partial class LaneWriter
{
    /// <summary>Most that the records of one batch can take together: all of the lane but the terminator behind them.</summary>
    public long MaxBatchBytes => _capacityBytes - RecordHeader.Bytes;

    /// <summary>What the records of the open batch take together.</summary>
    public long BatchBytes => _position - VisibleEnd;

    /// <summary>Bytes of the record that a payload becomes.</summary>
    public long RecordBytes(long payloadBytes) => RecordHeader.RecordBytes(_extensionBytes, payloadBytes);

    /// <summary>As <see cref="TryReserve"/>, but for as many records as fit into the space of one with such a payload, which may be larger
    /// than any message.</summary>
    public bool TryMakeRoom(long payloadBytes)
    {
        long end = EndOf(payloadBytes);
        return end <= _limit || TryRefresh(end);
    }

    /// <summary>From here to <see cref="PublishBatch"/> commits stay invisible.</summary>
    public void BeginBatch()
    {
        SetBatching(true);
        _batchPosition = _position;
        _batchSequence = _sequence;
        _batchHeader = 0;
    }

    /// <summary>Adds a message to the open batch where nothing special is to be done, as <see cref="TryAppend"/> publishes one. False says
    /// nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAppendToBatch(ReadOnlySpan<byte> payload)
    {
        long position = _position;
        long next = position + RecordHeader.RecordBytes(0, payload.Length);
        if (next + RecordHeader.Bytes > _limit || payload.Length > _maxBatchedBytes)
        {
            return false;
        }

        byte* data = _data;
        long mask = _mask;
        byte* record = data + (position & mask);
        Span<byte> room = new(record + RecordHeader.Bytes, payload.Length);
        CrashPoint.BeforeStore(room);
        ShortCopy.Copy(payload, room);
        Atomics.Store(ref *(ulong*)(data + (next & mask)), 0); // the terminator, ordered before the first header by its release
        ulong header = RecordHeader.Encode(_sequence, payload.Length);
        if (position == _batchPosition)
        {
            _batchHeader = header;
        }
        else
        {
            Atomics.Store(ref *(ulong*)record, header);
        }

        _position = next;
        _sequence++;
        return true;
    }

    /// <summary>Makes all commits since <see cref="BeginBatch"/> visible at once.</summary>
    public void PublishBatch()
    {
        SetBatching(false);
        if (_batchHeader != 0)
        {
            ref ulong first = ref *(ulong*)(_data + (_batchPosition & _mask));
            Atomics.Release(ref first, _batchHeader); // SYNC: record visible to reader
            StorePublished();
            StoreCommitted();
        }
    }

    /// <summary>Forgets all commits since <see cref="BeginBatch"/>; they leave no trace.</summary>
    public void AbortBatch()
    {
        if (_isBatching)
        {
            SetBatching(false);
            long end = _position;
            (_position, _sequence) = (_batchPosition, _batchSequence);
            if (_checksum.IsOn && end > _position)
            {
                new LaneTail(new MappedSpan(_data, 2 * _capacityBytes), _checksum).ClearRecords(_position, _sequence, end);
                _journal?.TailCleared();
            }
        }
    }

    /// <summary>Refuses what can never be added to the open batch, however far the readers get.</summary>
    /// <exception cref="ShmBatchTooLargeException">The batch would not fit into the lane.</exception>
    public void CheckBatch(long payloadBytes)
    {
        long batchBytes = BatchBytes + RecordBytes(payloadBytes);
        if (batchBytes > MaxBatchBytes)
        {
            throw new ShmBatchTooLargeException(batchBytes, MaxBatchBytes);
        }
    }

    /// <summary>Opens or closes the short ways of writing, too: one is for records in a batch, the other for those by themselves, and a
    /// record with extensions goes neither.</summary>
    private void SetBatching(bool isBatching)
    {
        _isBatching = isBatching;
        long most = _extensionBytes == 0 ? MaxPayloadBytes : -1;
        _maxAppendBytes = isBatching ? -1 : most;
        _maxBatchedBytes = isBatching ? most : -1;
    }
}
