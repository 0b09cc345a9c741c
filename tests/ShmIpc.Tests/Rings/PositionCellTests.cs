using ShmIpc.Memory;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public sealed class PositionCellTests : IDisposable
{
    private readonly MemoryMapping _memory = MemoryMapping.MapAnonymous(4096);

    [Fact]
    public async Task Readers_never_see_halves_of_two_pairs()
    {
        PositionCell cell = new(_memory.Whole.Slice(0, PositionCell.Bytes));
        bool isDone = false;
        long[] reads = new long[2];
        Task Read(int reader) => OwnThread.Run(() =>
        {
            long last = 0;
            while (!Atomics.Acquire(ref isDone))
            {
                (long position, long sequence) = cell.Read();
                Assert.Equal(position, sequence * 3);
                Assert.True(sequence >= last, $"went back from {last} to {sequence}");
                last = sequence;
                Volatile.Write(ref reads[reader], reads[reader] + 1);
            }
        });

        // A reader may get no processor for a while: writes go on until both have read.
        Task[] readers = [Read(0), Read(1)];
        long written = 0;
        long start = Environment.TickCount64;
        for (long ms = 0; ms < 500 || (ms < 60_000 && reads.Any(count => count == 0)); ms = Environment.TickCount64 - start)
        {
            for (int i = 0; i < 1_000; i++)
            {
                written++;
                cell.Write(written * 3, written);
            }
        }

        Atomics.Release(ref isDone, true);
        await Task.WhenAll(readers);
        Assert.All(reads, count => Assert.True(count > 0));
        Assert.Equal((written * 3, written), cell.Read());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_writer_that_dies_between_two_stores_leaves_one_of_the_two_pairs(int storesDone)
    {
        MappedSpan words = _memory.Whole.Slice(0, PositionCell.Bytes);
        PositionCell cell = new(words);
        for (long round = 0; round < 5; round++)
        {
            cell.Write(round * 8, round);
            ulong version = words.UInt64(0);

            // The stores of Write(99_000 + round, 9_000 + round), as far as they got.
            long buffer = 8 + ((long)((version + 1) & 1) * 16);
            if (storesDone > 0) words.UInt64(buffer) = (ulong)(99_000 + round);
            if (storesDone > 1) words.UInt64(buffer + 8) = (ulong)(9_000 + round);
            if (storesDone > 2) words.UInt64(0) = version + 1;
            Assert.Equal(storesDone == 3 ? (99_000 + round, 9_000 + round) : (round * 8, round), cell.Read());

            cell.Write(5_000 + round, 500 + round); // the successor
            Assert.Equal((5_000 + round, 500 + round), cell.Read());
        }
    }

    [Fact]
    public async Task A_peer_that_scribbles_without_pause_is_an_exception_and_no_endless_loop()
    {
        MappedSpan words = _memory.Whole.Slice(0, PositionCell.Bytes);
        PositionCell cell = new(words);
        bool isDone = false;
        Task scribbling = OwnThread.Run(() =>
        {
            while (!Atomics.Acquire(ref isDone))
            {
                Atomics.Increment(ref words.UInt64(0));
            }
        });

        for (int i = 0; i < 20_000; i++)
        {
            try
            {
                cell.Read();
            }
            catch (ShmCorruptionException)
            {
                break;
            }
        }

        Atomics.Release(ref isDone, true);
        await scribbling;
    }

    public void Dispose() => _memory.Dispose();
}
