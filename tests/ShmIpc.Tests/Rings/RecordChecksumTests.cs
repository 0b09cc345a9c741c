using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

/// <summary>Lanes whose records carry checksums, on plain memory: the extension, the end that is found by it, and what is cleared.</summary>
public sealed unsafe class RecordChecksumTests
{
    private static readonly Guid _region = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly RecordChecksum _checksum = new(_region);

    [Fact]
    public void It_is_the_CRC32C_of_region_position_header_and_payload()
    {
        byte[] payload = [.. Enumerable.Range(0, 21).Select(i => (byte)(i * 7))];
        byte[] all = [.. _region.ToByteArray(), .. BitConverter.GetBytes(0x1234_5678_9AL), .. BitConverter.GetBytes(0x8400_0007_0000_0015UL), .. payload];
        fixed (byte* start = payload)
        {
            Assert.Equal(RegionHeader.Crc32C(all), _checksum.Compute(0x1234_5678_9AL, 0x8400_0007_0000_0015UL, start, payload.Length));
        }
    }

    [Fact]
    public void A_record_carries_it_and_readers_step_over_it()
    {
        using LaneMemory memory = new();
        LaneWriter writer = new(memory.Control, memory.Data, memory.Gate, isGated: true, _checksum);
        LaneReader reader = memory.Join(0);
        Assert.Equal(2024, writer.MaxPayloadBytes);
        byte[] largest = [.. Enumerable.Range(0, 2024).Select(i => (byte)i)];
        for (int lap = 0; lap < 20; lap++)
        {
            foreach (byte[] payload in new byte[][] { [], "hello"u8.ToArray(), largest })
            {
                Assert.True(writer.TryWrite(payload));
                Assert.True(reader.TryRead(out LaneRecord record));
                Assert.True(reader.Payload(record).SequenceEqual(payload));
                ulong header = memory.HeaderAt(record.Position);
                Assert.Equal(RecordHeader.ChecksumFlag, header & RecordHeader.Extensions);
                Assert.True(_checksum.Fits(record.Position, header, (byte*)memory.Data.Address(record.Position & 4095)));
                reader.Release();
            }
        }

        Assert.Throws<ShmMessageTooLargeException>(() => writer.TryWrite(new byte[2025]));
    }

    [Fact]
    public void Every_changed_bit_of_a_record_is_found_and_so_are_another_position_and_region()
    {
        using LaneMemory memory = new();
        LaneWriter writer = new(memory.Control, memory.Data, memory.Gate, isGated: true, _checksum);
        Assert.True(writer.TryWrite("some words of payload"u8));
        byte* record = (byte*)memory.Data.Address(0);
        Assert.True(Fits(_checksum, 0));
        for (int bit = 0; bit < (16 + 21) * 8; bit++)
        {
            if (bit is >= 10 and < 32)
            {
                continue; // a length that leads outside the mapping is refused before anybody looks at the checksum
            }

            record[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Fits(_checksum, 0), $"bit {bit}");
            record[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.False(Fits(_checksum, 4096));
        Assert.False(Fits(new RecordChecksum(Guid.NewGuid()), 0));

        bool Fits(RecordChecksum checksum, long position) => checksum.Fits(position, *(ulong*)record, record);
    }

    [Fact]
    public void A_record_of_an_earlier_lap_is_not_taken_for_a_new_one_though_its_number_comes_again()
    {
        using LaneMemory memory = new();
        LaneWriter writer = new(memory.Control, memory.Data, memory.Gate, isGated: true, _checksum);
        Assert.True(writer.TryWrite("old"u8));

        // 2^24 messages later the header's 24 bits are the same; only the position differs.
        const long Later = 1L << 36;
        LaneTail tail = new(memory.Data, _checksum);
        Assert.Equal((Later, 1L << 24), tail.FindEnd(Later, 1L << 24, Later + 4088));
        Assert.Equal((24L, 1L), tail.FindEnd(0, 0, 4088));
    }

    [Fact]
    public void A_successor_stops_at_a_record_that_is_not_whole_and_clears_what_stands_behind()
    {
        using LaneMemory memory = new();
        LaneWriter writer = new(memory.Control, memory.Data, memory.Gate, isGated: true, _checksum);
        for (int i = 0; i < 6; i++)
        {
            Assert.True(writer.TryWrite("a message"u8)); // 32 bytes each
        }

        memory.Data.Bytes((3 * 32) + 16, 1)[0] ^= 1;
        LaneWriter successor = new(memory.Control, memory.Data, memory.Gate, isGated: true, _checksum);
        Assert.Equal((96L, 3L), (successor.Position, successor.Sequence));
        Assert.All(new[] { 3, 4, 5 }, i => Assert.Equal(0UL, memory.HeaderAt(i * 32)));
    }

    [Fact]
    public void A_batch_of_a_dead_producer_goes_also_where_a_group_that_gates_nobody_lags()
    {
        using LaneMemory memory = new();
        LaneWriter writer = new(memory.Control, memory.Data, memory.Gate, isGated: false, _checksum);
        for (int i = 0; i < 200; i++)
        {
            Assert.True(writer.TryWrite("a message"u8)); // 32 bytes each
        }

        while (writer.RoomBytes < 300)
        {
            Assert.True(writer.TryWrite("a message"u8));
        }

        memory.Gate.Active = 1;
        memory.Gate.Cursor(0) = (ulong)(writer.Position + 32 - 4096); // below the floor, and nobody waits for it
        long start = writer.Position;
        writer.BeginBatch();
        for (int i = 0; i < 5; i++)
        {
            Assert.True(writer.TryWrite("never"u8));
        }

        // It dies. Its successor is to leave nothing that a checksum makes a record.
        LaneWriter successor = new(memory.Control, memory.Data, memory.Gate, isGated: false, _checksum);
        Assert.Equal(start, successor.Position);
        for (long position = start; position < start + (5 * 24); position += 24)
        {
            ulong header = memory.HeaderAt(position);
            Assert.NotEqual(RecordHeader.Present | RecordHeader.ChecksumFlag, header & (0xFFUL << RecordHeader.FlagsShift));
        }
    }

    [Fact]
    public void An_aborted_batch_leaves_no_record_behind_the_terminator()
    {
        using LaneMemory memory = new();
        Journal journal = new();
        LaneWriter writer = new(memory.Control, memory.Data, memory.Gate, isGated: true, _checksum, journal);
        Assert.True(writer.TryWrite("before"u8));
        long start = writer.Position;
        writer.BeginBatch();
        for (int i = 0; i < 5; i++)
        {
            Assert.True(writer.TryWrite("never"u8));
        }

        Assert.Equal(start, writer.Published);
        writer.AbortBatch();
        Assert.Equal(1, journal.TailsCleared);
        for (long position = start; position < 4096; position += 8)
        {
            Assert.NotEqual(RecordHeader.Present | RecordHeader.ChecksumFlag, memory.HeaderAt(position) & (0xFFUL << RecordHeader.FlagsShift));
        }

        Assert.True(writer.TryWrite("after"u8));
        LaneReader reader = memory.Join(0);
        Assert.True(reader.TryRead(out _));
        Assert.True(reader.TryRead(out LaneRecord after));
        Assert.True(reader.Payload(after).SequenceEqual("after"u8));
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void The_floor_is_journaled_after_it_was_stored_and_before_anything_below_it_is_overwritten()
    {
        using LaneMemory memory = new();
        Journal journal = new();
        LaneWriter writer = new(memory.Control, memory.Data, memory.Gate, isGated: true, _checksum, journal);
        LaneReader reader = memory.Join(0);
        byte[] before = [];
        journal.OnFloor = () =>
        {
            // What stands below the floor that is on its way to the disk is still all there.
            (long floor, _) = memory.Control.Floor.Read();
            Assert.True(floor <= reader.Position);
            Assert.True(before.AsSpan().SequenceEqual(memory.Bytes));
        };
        for (int i = 0; i < 1000; i++)
        {
            before = memory.Bytes.ToArray();
            Assert.True(writer.TryWrite("a message"u8));
            Assert.True(reader.TryRead(out _));
            reader.Release();
        }

        Assert.InRange(journal.FloorsStored, 1000 * 32 / 4096, 1000 * 32 / 512);
    }

    private sealed class Journal : ILaneJournal
    {
        public int FloorsStored { get; private set; }

        public int TailsCleared { get; private set; }

        public Action? OnFloor { get; set; }

        public void FloorStored()
        {
            FloorsStored++;
            OnFloor?.Invoke();
        }

        public void TailCleared() => TailsCleared++;
    }
}
