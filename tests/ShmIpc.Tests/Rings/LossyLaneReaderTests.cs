// A reader that may be overrun, on a lane in plain memory: what it reads, what it says it lost, and what it says to damage.

using System.Buffers.Binary;
using ShmIpc.Memory;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public sealed class LossyLaneReaderTests
{
    private const int Capacity = 4096;

    [Fact]
    public void A_reader_that_keeps_up_reads_everything_and_loses_nothing()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        LaneReader reader = lane.Observe();
        Assert.False(reader.HasNext);
        Assert.False(reader.TryRead(out _));
        for (ulong number = 0; number < 10_000; number++)
        {
            Assert.Equal(0, Count(lane, reader));
            Assert.True(Write(writer, number));
            Assert.True(reader.HasNext);
            Assert.Equal(1, Count(lane, reader));
            Assert.True(reader.TryRead(out LaneRecord record));
            Assert.Equal((long)number, record.Sequence);
            AssertIs(number, reader.Payload(record));
        }

        Assert.False(reader.TryRead(out _));
        Assert.Equal((0, writer.Position), (reader.Lost, reader.Position));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    public void A_reader_that_was_overrun_continues_at_the_floor_and_knows_its_loss(int laps)
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        LaneReader reader = lane.Observe();
        ulong published = 0;
        while (writer.Position < laps * (long)Capacity)
        {
            Assert.True(Write(writer, published++));
        }

        (long floor, long first) = lane.Control.Floor.Read();
        Assert.True(first > 0);
        Assert.True(reader.TryRead(out LaneRecord record));
        Assert.Equal((floor, first, first), (record.Position, record.Sequence, reader.Lost));
        AssertIs((ulong)first, reader.Payload(record));
        for (ulong number = (ulong)first + 1; number < published; number++)
        {
            Assert.True(reader.TryRead(out record));
            AssertIs(number, reader.Payload(record));
        }

        Assert.False(reader.TryRead(out _));
        Assert.Equal(first, reader.Lost);
    }

    [Theory]
    [InlineData("TryRead")]
    [InlineData("HasNext")]
    [InlineData("Count")]
    public void Every_look_counts_what_was_overrun(string look)
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        LaneReader reader = lane.Observe();
        Random random = new(5);
        long read = 0;
        for (ulong number = 0; number < 50_000;)
        {
            for (int burst = random.Next(200); burst > 0; burst--)
            {
                Assert.True(Write(writer, number++));
            }

            if (look == "HasNext")
            {
                Assert.Equal(read + reader.Lost < (long)number, reader.HasNext);
            }
            else if (look == "Count")
            {
                long count = Count(lane, reader);
                Assert.Equal((long)number, read + reader.Lost + count);
            }

            for (int batch = random.Next(120); batch > 0 && reader.TryRead(out LaneRecord record); batch--)
            {
                AssertIs((ulong)record.Sequence, reader.Payload(record));
                read++;
            }

            Assert.Equal(reader.Sequence, read + reader.Lost);
        }

        Assert.True(read > 1000 && reader.Lost > 1000, $"{read} read, {reader.Lost} lost");
    }

    [Fact]
    public void A_record_that_is_overwritten_while_it_lies_in_the_copy_stays_as_it_was()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        LaneReader reader = lane.Observe();
        Assert.True(Write(writer, 0));
        Assert.True(reader.TryRead(out LaneRecord record));
        for (ulong number = 1; number < 1000; number++)
        {
            Assert.True(Write(writer, number));
        }

        AssertIs(0, reader.Payload(record));
    }

    [Fact]
    public void Payloads_that_look_like_headers_of_the_next_message_are_never_taken_for_one()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        LaneReader reader = lane.Observe();
        Span<byte> payload = stackalloc byte[1000];
        Random random = new(7);
        long read = 0;
        for (long number = 0; number < 20_000; number++)
        {
            // Every word of every payload is a valid header of the message that the reader waits for.
            int bytes = random.Next(8, 1000) & ~7;
            for (int i = 0; i < bytes; i += 8)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(payload[i..], RecordHeader.Encode(reader.Sequence, 8));
            }

            Assert.True(writer.TryWrite(payload[..bytes]));
            if (random.Next(12) != 0)
            {
                continue;
            }

            long count = Count(lane, reader);
            Assert.Equal(number + 1, read + reader.Lost + count);
            while (reader.TryRead(out LaneRecord record))
            {
                read++;
                Assert.Equal(reader.Sequence, record.Sequence + 1);
            }

            Assert.Equal(number + 1, read + reader.Lost);
        }

        Assert.True(reader.Lost > 100);
    }

    [Fact]
    public void The_end_is_no_loss_for_who_starts_there()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        for (ulong number = 0; number < 50; number++)
        {
            Assert.True(Write(writer, number));
        }

        LaneReader reader = lane.Observe();
        reader.SkipToEnd();
        Assert.Equal((writer.Position, 50, 0, 0), (reader.Position, reader.Sequence, reader.Lost, Count(lane, reader)));
        Assert.False(reader.HasNext);
        Assert.True(Write(writer, 50));
        Assert.True(reader.TryRead(out LaneRecord record));
        Assert.Equal(50, record.Sequence);
    }

    [Fact]
    public void Nobody_gates_a_writer_without_a_gate_and_the_cursor_of_the_group_is_stored_all_the_same()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        lane.Join(3);
        LaneReader reader = lane.Observe(group: 3);
        for (ulong number = 0; number < 1000; number++)
        {
            Assert.True(Write(writer, number));
        }

        Assert.Equal(0UL, lane.Gate.Cursor(3));
        Assert.True(reader.TryRead(out _));
        Assert.True(reader.Release());
        Assert.Equal((ulong)reader.Position, lane.Gate.Cursor(3));
        Assert.False(reader.Release());
        Assert.Equal((0UL, 0UL), (writer.BlockingGroups(64), writer.SuspectGroups));
    }

    [Fact]
    public void Damage_is_reported_once_and_only_when_the_producer_has_not_overwritten_it()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        LaneReader reader = lane.Observe();
        Assert.True(Write(writer, 0));
        Assert.True(Write(writer, 1));
        ulong good = lane.HeaderAt(0);
        lane.HeaderAt(0) = good ^ (1UL << 40);
        Assert.True(reader.HasNext);
        Assert.Throws<ShmCorruptionException>(() => reader.TryRead(out _));
        Assert.False(reader.HasNext);
        Assert.False(reader.TryRead(out _));
        lane.HeaderAt(0) = good;
        Assert.True(reader.TryRead(out _));
        lane.HeaderAt(reader.Position) ^= 1UL << 41;
        for (ulong number = 2; number < 20; number++)
        {
            Assert.True(Write(writer, number)); // still in the first lap
        }

        lane.Control.Floor.Write(writer.Position, writer.Sequence); // as if the producer were about to overwrite all that
        Assert.False(reader.TryRead(out _));
        Assert.Equal((20, 19), (reader.Sequence, reader.Lost));
    }

    [Theory]
    [InlineData(8, 0)] // no message between
    [InlineData(8, 3)] // more than fit
    [InlineData(12, 1)] // between two words
    [InlineData(long.MaxValue & ~7, -5)]
    [InlineData(4096, long.MinValue)]
    public void A_floor_that_makes_no_sense_is_reported_once(long position, long sequence)
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        LaneReader reader = lane.Observe();
        Assert.True(Write(writer, 0));
        lane.Control.Floor.Write(position, sequence);
        Assert.Throws<ShmCorruptionException>(() => reader.TryRead(out _));
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.HasNext);
        Assert.Equal(0, Count(lane, reader));
        lane.Control.Floor.Write(0, 0);
        Assert.True(reader.TryRead(out LaneRecord record));
        AssertIs(0, reader.Payload(record));
        Assert.Equal(0, reader.Lost);
    }

    [Fact]
    public void Random_lanes_are_read_or_refused_within_bounds_and_without_end()
    {
        using LaneMemory lane = new();
        Random random = new(4711);
        long records = 0;
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            lane.Clear();
            LaneWriter writer = lane.CreateUngatedWriter();
            for (ulong number = 0; number < (ulong)random.Next(100); number++)
            {
                Write(writer, number);
            }

            for (int i = random.Next(6); i > 0; i--)
            {
                lane.HeaderAt(random.Next(512) * 8L) = random.Next(3) switch
                {
                    0 => 0,
                    1 => (ulong)random.NextInt64() << 1,
                    _ => RecordHeader.Encode(random.Next(100), random.Next(2048)) | ((ulong)random.Next(16) << RecordHeader.FlagsShift),
                };
            }

            if (random.Next(2) == 0)
            {
                lane.Control.Committed.Write(Position(), random.NextInt64(-2, 100));
                lane.Control.Floor.Write(Position(), random.NextInt64(-2, 100));
            }

            LaneReader reader = lane.Observe(start: random.Next(2) == 0 ? (0, 0) : (Position(), random.NextInt64(0, 40)));
            int look = 0;
            for (; look < 2_000; look++)
            {
                try
                {
                    _ = reader.HasNext;
                    Assert.InRange(Count(lane, reader), 0, Capacity / 8);
                    if (!reader.TryRead(out LaneRecord record))
                    {
                        break;
                    }

                    records++;
                    Assert.Equal(record.PayloadBytes, reader.Payload(record).Length);
                }
                catch (ShmCorruptionException)
                {
                    refused++;
                }
            }

            Assert.True(look < 2_000, "reading has no end");
        }

        Assert.True(records > 1_000 && refused > 1_000, $"{records} records, {refused} refusals");

        long Position() => random.Next(4) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : random.Next(600) * 8L;
    }

    /// <summary>Messages that are there and not yet read.</summary>
    internal static long Count(LaneMemory lane, LaneReader reader)
    {
        long end = reader.EndSequence(lane.Control);
        return end - reader.Sequence;
    }

    /// <summary>A message whose length and bytes follow from its number.</summary>
    internal static bool Write(LaneWriter writer, ulong number)
    {
        int bytes = Length(number);
        if (!writer.TryReserve(bytes))
        {
            return false;
        }

        Fill(writer.Payload(bytes), number);
        writer.Commit(bytes);
        return true;
    }

    internal static void AssertIs(ulong number, ReadOnlySpan<byte> payload)
    {
        Span<byte> expected = stackalloc byte[Length(number)];
        Fill(expected, number);
        Assert.True(payload.SequenceEqual(expected), $"message {number} is torn or another one: {Convert.ToHexString(payload)}");
    }

    private static int Length(ulong number) => number % 37 == 0 ? 1500 : (int)(number * 7 % 90);

    private static void Fill(Span<byte> payload, ulong number)
    {
        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] = (byte)((number + (ulong)i) * 0x9E37_79B9_7F4A_7C15 >> 56);
        }
    }
}
