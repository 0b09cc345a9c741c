// One writer thread that waits for nobody, and readers that are faster, slower and much slower than it: what each read and what it lost is
// everything, in order, and nothing is torn.

using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmIpc.Memory;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public sealed class LossyLaneStressTests
{
    private static readonly TimeSpan _duration = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(4096)]
    [InlineData(65_536)]
    public async Task What_was_read_and_what_was_lost_is_everything(int capacityBytes)
    {
        using LaneMemory lane = new(capacityBytes);
        ulong published = ulong.MaxValue;
        (int Pauses, LaneReader Reader)[] readers = [.. new[] { 0, 20, 2000 }.Select(pauses => (pauses, lane.Observe()))];
        Task<ulong> writing = OwnThread.Run(() =>
        {
            LaneWriter writer = lane.CreateUngatedWriter();
            long start = Stopwatch.GetTimestamp();
            ulong number = 0;
            for (; Stopwatch.GetElapsedTime(start) < _duration; number++)
            {
                Assert.True(LossyLaneReaderTests.Write(writer, number));
                if (number % 5000 == 4999)
                {
                    writer = lane.CreateUngatedWriter(); // a successor, as after a death
                    Thread.SpinWait(2000);
                }
            }

            Atomics.Release(ref published, number);
            return number;
        });
        Task<(long Read, long Lost)>[] reading = [.. readers.Select(each => OwnThread.Run(() =>
        {
            (int pauses, LaneReader reader) = each;
            Random random = new(pauses);
            long read = 0;
            while (true)
            {
                bool isLast = Atomics.Acquire(ref published) != ulong.MaxValue;
                while (reader.TryRead(out LaneRecord record))
                {
                    LossyLaneReaderTests.AssertIs((ulong)record.Sequence, reader.Payload(record));
                    read++;
                    Assert.Equal(record.Sequence + 1, read + reader.Lost);
                    Thread.SpinWait(random.Next(pauses + 1));
                    if (random.Next(64) == 0)
                    {
                        long count = LossyLaneReaderTests.Count(lane, reader);
                        Assert.InRange(count, 0, capacityBytes / 8);
                        Assert.Equal(reader.Sequence, read + reader.Lost);
                    }
                }

                if (isLast)
                {
                    return (read, reader.Lost);
                }
            }
        }))];
        ulong written = await writing;
        (long Read, long Lost)[] all = await Task.WhenAll(reading);
        Assert.All(all, reader => Assert.Equal((long)written, reader.Read + reader.Lost));
        Assert.True(all[^1].Lost > 0 && all.All(reader => reader.Read > 0), string.Join(", ", all));
    }

    [Fact]
    public async Task A_record_that_is_overwritten_while_it_is_copied_is_not_handed_out()
    {
        // Copying such a record takes as long as writing one, so the producer is in the middle of most copies.
        const int CapacityBytes = 1 << 20;
        const int PayloadBytes = CapacityBytes / 4;
        const int Wanted = 20_000;
        using LaneMemory lane = new(CapacityBytes);
        LaneReader reader = lane.Observe();
        ulong isOver = 0;
        Task writing = OwnThread.Run(() =>
        {
            LaneWriter writer = lane.CreateUngatedWriter();
            byte[] payload = new byte[PayloadBytes];
            for (ulong number = 0; Atomics.Acquire(ref isOver) == 0; number++)
            {
                MemoryMarshal.Cast<byte, ulong>(payload.AsSpan()).Fill(number);
                Assert.True(writer.TryWrite(payload));
            }
        });
        long read = 0;
        try
        {
            long start = Stopwatch.GetTimestamp();
            while (IsWorthIt(Stopwatch.GetElapsedTime(start)))
            {
                if (reader.TryRead(out LaneRecord record))
                {
                    ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(reader.Payload(record));
                    Assert.Equal(-1, words.IndexOfAnyExcept((ulong)record.Sequence));
                    read++;
                }
            }
        }
        finally
        {
            Atomics.Release(ref isOver, 1);
            await writing;
        }

        Assert.True(read > 0 && reader.Lost > 0, $"{read} read, {reader.Lost} lost");

        // Where the two have one processor, it may take a while until the producer gets it in the middle of a copy.
        bool IsWorthIt(TimeSpan elapsed) => read > 0 && reader.Lost > 0 ? read < Wanted && elapsed < _duration : elapsed < _bound;
    }
}
