// A ring of fixed slots in shared memory that works as the LMAX Disruptor does between processes, written for this comparison: a sender
// takes the next sequence with an atomic addition, waits until the reader's sequence shows that the slot is free, fills it and marks the
// slot as published in this round of the ring; the reader waits for the cursor, takes every slot that is marked, and gives its own
// sequence back once for all of them. It has no recovery, and its slots have one size.

using System.IO.MemoryMappedFiles;
using System.Numerics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;

namespace ShmIpc.Benchmarks.Transports.Rings;

internal sealed unsafe class SequenceRing : IDisposable
{
    // Each on cache lines of its own.
    private const int CursorOffset = 128;
    private const int ConsumedOffset = 384;
    private const int MarksOffset = 4096;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long* _cursor; // how many slots senders have taken
    private readonly long* _consumed; // how many the reader has finished with
    private readonly int* _marks; // for each slot the round in which it was published, from 1
    private readonly byte* _slots;
    private readonly int _slotBytes;
    private readonly int _count;
    private readonly int _shift;
    private long _consumedCache;
    private long _next;
    private long _readable;

    private SequenceRing(string path, ChildSettings settings)
    {
        _slotBytes = SlotBytes(settings);
        _count = SlotCount(settings);
        _shift = BitOperations.Log2((uint)_count);
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open);
        _view = _file.CreateViewAccessor();
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _cursor = (long*)(start + CursorOffset);
        _consumed = (long*)(start + ConsumedOffset);
        _marks = (int*)(start + MarksOffset);
        _slots = start + MarksOffset + (sizeof(int) * _count);
    }

    /// <summary>The reader's: as large as a lane.</summary>
    public static SequenceRing Create(ChildSettings settings, string name)
    {
        string path = PathOf(settings, name);
        using (FileStream file = new(path + ".new", FileMode.CreateNew))
        {
            file.SetLength(MarksOffset + (SlotCount(settings) * (long)(sizeof(int) + SlotBytes(settings))));
        }

        SequenceRing ring = new(path + ".new", settings);
        File.Move(path + ".new", path);
        return ring;
    }

    /// <summary>The sender's.</summary>
    public static SequenceRing Open(ChildSettings settings, string name)
    {
        string path = PathOf(settings, name);
        Rendezvous.WaitUntil(() => File.Exists(path), "ring");
        return new SequenceRing(path, settings);
    }

    /// <summary>False: there was no room until the end of the measurement.</summary>
    public bool Write(ReadOnlySpan<byte> payload, Lifeline lifeline)
    {
        long sequence = Interlocked.Increment(ref *_cursor) - 1;
        while (sequence - _consumedCache >= _count)
        {
            _consumedCache = Volatile.Read(ref *_consumed);
            if (sequence - _consumedCache >= _count)
            {
                Thread.SpinWait(1);
                if (lifeline.StopRequested)
                {
                    return false;
                }
            }
        }

        long index = sequence & (_count - 1);
        payload.CopyTo(new Span<byte>(_slots + (index * _slotBytes), _slotBytes));
        Volatile.Write(ref _marks[index], Round(sequence));
        return true;
    }

    public void Read(Span<byte> destination)
    {
        if (_next == _readable)
        {
            Volatile.Write(ref *_consumed, _next);
            WaitForMore();
        }

        long index = _next & (_count - 1);
        new ReadOnlySpan<byte>(_slots + (index * _slotBytes), destination.Length).CopyTo(destination);
        _next++;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private static int SlotBytes(ChildSettings settings) => (settings.PayloadBytes + 7) & ~7;

    private static int SlotCount(ChildSettings settings) =>
        (int)BitOperations.RoundUpToPowerOf2((ulong)(settings.LaneCapacityBytes / SlotBytes(settings)));

    private static string PathOf(ChildSettings settings, string name) => Path.Combine(settings.Directory, name + ".ring");

    private int Round(long sequence) => (int)(sequence >> _shift) + 1;

    private void WaitForMore()
    {
        while (true)
        {
            long taken = Volatile.Read(ref *_cursor);
            while (_readable < taken && Volatile.Read(ref _marks[_readable & (_count - 1)]) == Round(_readable))
            {
                _readable++;
            }

            if (_readable > _next)
            {
                return;
            }

            Thread.SpinWait(1);
        }
    }
}
