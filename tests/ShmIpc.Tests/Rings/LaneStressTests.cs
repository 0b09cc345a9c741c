// One writer thread and one to three reader threads on a small lane in plain memory: every message arrives at every reader, in order
// and unchanged. Readers spin; the writer waits for the slowest. On a machine that is busy with something else there are fewer messages.

using System.Buffers.Binary;
using System.Diagnostics;
using ShmIpc.Memory;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public class LaneStressTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(20);
    private ulong _written = ulong.MaxValue; // how many in the end

    [Theory]
    [InlineData(1, 4096, 3_000_000)]
    [InlineData(2, 4096, 600_000)]
    [InlineData(3, 65_536, 1_000_000)]
    public async Task Every_message_reaches_every_reader_in_order_and_unchanged(int readers, int capacityBytes, int messages)
    {
        using LaneMemory lane = new(capacityBytes);
        LaneWriter writer = lane.CreateWriter();
        Task<ulong>[] reading = [.. Enumerable.Range(0, readers).Select(group =>
        {
            LaneReader reader = lane.Join(group);
            return OwnThread.Run(() => Read(reader));
        })];
        ulong written = await OwnThread.Run(() => Write(writer, messages));
        Assert.All(await Task.WhenAll(reading), sum => Assert.Equal(written, sum));
    }

    [Theory]
    [InlineData(1)] // away half of the time, so that the writer overwrites without waiting, and is caught at it
    [InlineData(2)]
    public async Task Readers_that_join_and_leave_under_a_running_writer_see_no_gap_and_no_damage(int visitors)
    {
        using LaneMemory lane = new();
        bool isDone = false;
        Task writing = OwnThread.Run(() =>
        {
            LaneWriter writer = lane.CreateWriter();
            Random random = new(1);
            SpinWait spin = default;
            for (ulong number = 0; !Atomics.Acquire(ref isDone); number++)
            {
                int bytes = 8 + random.Next(60);
                while (!writer.TryReserve(bytes) && !Atomics.Acquire(ref isDone))
                {
                    spin.SpinOnce(sleep1Threshold: -1);
                }

                if (Atomics.Acquire(ref isDone))
                {
                    return;
                }

                Span<byte> payload = writer.Payload(bytes);
                payload.Fill((byte)number);
                BinaryPrimitives.WriteUInt64LittleEndian(payload, number);
                writer.Commit(bytes);
                if (number % 1000 == 999)
                {
                    writer = lane.CreateWriter(); // a successor, as after a death
                }
            }
        });
        Task Visit(int group) => OwnThread.Run(() =>
        {
            long start = Stopwatch.GetTimestamp();
            for (int visit = 0; visit < 200_000 && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(2); visit++)
            {
                LaneReader reader = lane.Join(group);
                for (int i = 0; i < visit % 20; i++)
                {
                    reader.ReleaseIfDue();
                    if (!reader.TryRead(out LaneRecord record))
                    {
                        continue;
                    }

                    ReadOnlySpan<byte> payload = reader.Payload(record);
                    Assert.Equal((ulong)record.Sequence, BinaryPrimitives.ReadUInt64LittleEndian(payload));
                    Assert.Equal(-1, payload[8..].IndexOfAnyExcept((byte)record.Sequence));
                }

                lane.Leave(group);
                Thread.SpinWait(visit % 50);
            }
        });

        try
        {
            await Task.WhenAll(Enumerable.Range(0, visitors).Select(Visit)).WaitAsync(_bound);
        }
        finally
        {
            Atomics.Release(ref isDone, true);
            await writing;
        }
    }

    private ulong Write(LaneWriter writer, int messages)
    {
        Random random = new(42);
        ulong sum = 0;
        SpinWait spin = default;
        long start = Stopwatch.GetTimestamp();
        long last = start;
        Span<byte> source = stackalloc byte[300];
        int i = 0;
        for (; i < messages && Stopwatch.GetElapsedTime(start, last) < _longest; i++)
        {
            int bytes = random.Next(10) == 0 ? random.Next(300) : random.Next(32);
            source[..bytes].Fill((byte)i);
            while (!writer.TryWrite(source[..bytes]))
            {
                spin.SpinOnce(sleep1Threshold: -1);
                Assert.True(Stopwatch.GetElapsedTime(last) < _bound, "the readers give no room back");
            }

            last = Stopwatch.GetTimestamp();
            sum = Checksum(sum, source[..bytes]);
        }

        Atomics.Release(ref _written, (ulong)i);
        return sum;
    }

    private ulong Read(LaneReader reader)
    {
        ulong sum = 0;
        SpinWait spin = default;
        long last = Stopwatch.GetTimestamp();
        for (int i = 0; Atomics.Acquire(ref _written) != (ulong)i; i++)
        {
            reader.ReleaseIfDue();
            LaneRecord record;
            while (!reader.TryRead(out record))
            {
                if (Atomics.Acquire(ref _written) == (ulong)i)
                {
                    reader.Release();
                    return sum;
                }

                spin.SpinOnce(sleep1Threshold: -1);
                Assert.True(Stopwatch.GetElapsedTime(last) < _bound, $"message {i} never comes");
            }

            last = Stopwatch.GetTimestamp();
            if (record.Sequence != i)
            {
                Assert.Fail($"message {record.Sequence} came in place of {i}");
            }

            sum = Checksum(sum, reader.Payload(record));
        }

        reader.Release();
        return sum;
    }

    private static ulong Checksum(ulong sum, ReadOnlySpan<byte> payload)
    {
        sum = (sum + (ulong)payload.Length) * 31;
        foreach (byte value in payload)
        {
            sum = (sum + value) * 31;
        }

        return sum;
    }
}
