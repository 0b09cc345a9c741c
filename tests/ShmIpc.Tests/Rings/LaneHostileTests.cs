// A peer may write anything into the lane. A reader then reads valid records or says once that the lane is damaged; guard pages stand
// before and behind the mapping, so a read outside of it ends the test run.

using System.Diagnostics;
using ShmIpc.Memory;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public sealed class LaneHostileTests
{
    [Fact]
    public void Random_lanes_are_read_or_refused_once_within_bounds_and_without_end()
    {
        using LaneMemory lane = new();
        Random random = new(4711);
        long records = 0;
        int refused = 0;
        for (int round = 0; round < 100_000; round++)
        {
            long position = random.Next(2) == 0 ? random.Next(512) * 8L : random.NextInt64(long.MinValue, long.MaxValue);
            long sequence = random.NextInt64(0, 1L << 40);
            Damage(lane, random, position, sequence);
            LaneReader reader = lane.ReaderAt(0, position, sequence);
            bool isRefused = false;
            int look = 0;
            for (; look < 2_000; look++)
            {
                try
                {
                    bool hasNext = reader.HasNext;
                    reader.ReleaseIfDue();
                    if (!reader.TryRead(out LaneRecord record))
                    {
                        Assert.False(hasNext);
                        break;
                    }

                    records++;
                    Touch(reader.Payload(record));
                }
                catch (ShmCorruptionException)
                {
                    Assert.False(isRefused, "the same damage was reported twice");
                    isRefused = true;
                    refused++;
                }
            }

            Assert.True(look < 2_000 || !isRefused);
            long count = reader.EndSequence(lane.Control) - reader.Sequence;
            Assert.InRange(count, 0, 4096 / 8);
        }

        Assert.True(records > 10_000 && refused > 10_000, $"{records} records, {refused} refusals");
    }

    [Fact]
    public void A_damaged_header_is_reported_once_and_read_on_when_it_is_mended()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateWriter();
        LaneReader reader = lane.Join(0);
        Assert.True(writer.TryWrite("first"u8));
        Assert.True(writer.TryWrite("second"u8));
        Assert.True(reader.TryRead(out _));
        long position = reader.Position;
        ulong good = lane.HeaderAt(position);
        lane.HeaderAt(position) = good ^ (1UL << 40);
        Assert.True(reader.HasNext);
        ShmCorruptionException refused = Assert.Throws<ShmCorruptionException>(() => reader.TryRead(out _));
        Assert.Contains($"position {position}", refused.Message, StringComparison.Ordinal);
        Assert.False(reader.HasNext);
        Assert.False(reader.TryRead(out _));
        lane.HeaderAt(position) = good ^ (1UL << 41);
        Assert.Throws<ShmCorruptionException>(() => reader.TryRead(out _));
        lane.HeaderAt(position) = good;
        Assert.True(reader.TryRead(out LaneRecord record));
        Assert.True(reader.Payload(record).SequenceEqual("second"u8));
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void Readers_step_over_extensions_of_later_versions_producers()
    {
        using LaneMemory lane = new();
        lane.Data.Bytes(0, 64).Clear();
        "payload"u8.CopyTo(lane.Data.Bytes(24, 7));
        lane.HeaderAt(0) = RecordHeader.Encode(0, 7) | RecordHeader.TimestampFlag | RecordHeader.ChecksumFlag;
        LaneReader reader = lane.ReaderAt(0, 0, 0);
        Assert.True(reader.TryRead(out LaneRecord record));
        Assert.True(reader.Payload(record).SequenceEqual("payload"u8));
        Assert.Equal(32, reader.Position);
        Assert.Equal(32, lane.CreateWriter().Position); // a successor steps over them too
    }

    [Fact]
    public void A_writer_whose_own_records_were_overwritten_says_so_and_writes_nothing_more()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateWriter();
        while (writer.Position < 3_900)
        {
            Assert.True(writer.TryWrite(new byte[40]));
        }

        lane.HeaderAt(48 * 2) = 0xDEAD_BEEF;
        long end = writer.Position;
        Assert.Throws<ShmCorruptionException>(() =>
        {
            while (writer.TryWrite(new byte[40]))
            {
            }
        });
        Assert.True(writer.Position <= end + 192);
    }

    [Fact]
    public void An_ungated_writer_does_not_make_room_behind_its_own_end()
    {
        using LaneMemory lane = new();
        LaneWriter writer = lane.CreateUngatedWriter();
        while (writer.Position < 3_900)
        {
            Assert.True(writer.TryWrite(new byte[40]));
        }

        long end = writer.Position;
        lane.HeaderAt(48 * 48) = RecordHeader.Encode(48, 2032); // sound but for its length, which leads beyond the end
        Assert.Throws<ShmCorruptionException>(() => writer.TryWrite(new byte[2032]));
        Assert.InRange(lane.Control.Floor.Read().Position, 0, end);
    }

    [Fact]
    public void A_position_that_is_no_multiple_of_8_is_read_at_the_word_that_holds_it()
    {
        using LaneMemory lane = new();
        lane.Data.Bytes(0, 64).Clear();
        lane.HeaderAt(8) = RecordHeader.Encode(0, 5);
        LaneReader reader = lane.ReaderAt(0, 12, 0);
        Assert.True(reader.TryRead(out LaneRecord record));
        Assert.Equal((16, 5), (record.PayloadIndex, record.PayloadBytes));
        Assert.Equal(lane.HeaderAt(8), new LaneScan(lane.Data, lane.Control).HeaderAt(13));
        Assert.Equal(lane.HeaderAt(4088), new LaneScan(lane.Data, lane.Control).HeaderAt(-1));
    }

    [Fact]
    public void Looking_for_a_messages_number_ends_after_one_lap()
    {
        // 2^24 records of 16 bytes: behind the last comes the first, whose number's low 24 bits are again the next ones.
        const int capacityBytes = 256 << 20;
        using LaneMemory lane = new(capacityBytes);
        for (long sequence = 0; sequence < capacityBytes / 16; sequence++)
        {
            lane.HeaderAt(sequence * 16) = RecordHeader.Encode(sequence, 8);
        }

        long sought = (20L * capacityBytes) + 8; // no header: a payload
        Assert.InRange(new LaneScan(lane.Data, lane.Control).SequenceAt(sought), 0, capacityBytes / 16);
    }

    [Fact]
    public void A_floor_that_makes_no_sense_is_not_looked_at_again_and_again_over_the_whole_lane()
    {
        const int capacityBytes = 64 << 20;
        using LaneMemory lane = new(capacityBytes);
        for (long sequence = 0; sequence < capacityBytes / 8; sequence++)
        {
            lane.HeaderAt(sequence * 8) = RecordHeader.Encode(sequence, 0);
        }

        LaneReader reader = lane.Observe();
        lane.Control.Floor.Write(12, 1);
        Assert.Throws<ShmCorruptionException>(() => reader.EndSequence(lane.Control));
        TimeSpan least = TimeSpan.MaxValue; // of a few looks: the machine may be busy with something else
        for (int look = 0; look < 5 && least > TimeSpan.FromSeconds(5); look++)
        {
            Stopwatch clock = Stopwatch.StartNew();
            Assert.Equal(0, reader.EndSequence(lane.Control));
            least = clock.Elapsed < least ? clock.Elapsed : least;
        }

        Assert.True(least < TimeSpan.FromSeconds(5), $"{least}"); // a thousand walks of 8 million records took 20 s
    }

    [Fact]
    public void A_count_of_failovers_that_nobody_can_have_reached_is_bounded()
    {
        using LaneMemory lane = new();
        MappedSpan cursor = lane.CursorOf(0);
        cursor.UInt64(LaneGate.HandedOffset) = 64;
        cursor.UInt64(LaneGate.FailoversOffset) = ulong.MaxValue;
        Assert.Equal(int.MaxValue, new LaneReader(lane.Data, cursor, 0, 0, isNamed: true).DeliveryCount);
        Assert.Equal(int.MaxValue, new LaneReader(lane.Data, cursor, 0, 0, isNamed: true).DeliveryCount);
    }

    private static void Damage(LaneMemory lane, Random random, long position, long sequence)
    {
        if (random.Next(4) == 0)
        {
            random.NextBytes(lane.Bytes);
            return;
        }

        // A chain of sound records with something wrong somewhere, or nothing wrong and no end.
        long damaged = random.Next(64);
        for (int i = 0; i < 128; i++, sequence++)
        {
            int bytes = random.Next(20) == 0 ? random.Next(2033) : random.Next(100);
            ulong header = RecordHeader.Encode(sequence, bytes) | ((ulong)random.Next(16) << RecordHeader.FlagsShift);
            long left = 2032 - RecordHeader.ExtensionBytes(header);
            bytes = (int)Math.Min(bytes, left);
            header = (header & ~(ulong)uint.MaxValue) | (uint)bytes;
            lane.HeaderAt(position) = i == damaged ? header ^ (1UL << random.Next(64)) : header;
            position += RecordHeader.RecordBytes(RecordHeader.ExtensionBytes(header), bytes);
        }

        lane.Control.Committed.Write(random.NextInt64(), random.NextInt64());
    }

    private static void Touch(ReadOnlySpan<byte> payload)
    {
        byte sum = 0;
        foreach (byte value in payload)
        {
            sum += value;
        }

        GC.KeepAlive(sum);
    }
}
