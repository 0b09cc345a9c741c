// A peer may write anything into the lane. A reader then reads valid records or says once that the lane is damaged; guard pages stand
// before and behind the mapping, so a read outside of it ends the test run.

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
