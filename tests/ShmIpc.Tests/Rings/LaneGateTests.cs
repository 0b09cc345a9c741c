using ShmIpc.Memory;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public sealed class LaneGateTests : IDisposable
{
    private readonly LaneMemory _lane = new(groups: 8);

    [Fact]
    public void A_writer_stops_at_the_slowest_reader_and_says_which_it_is()
    {
        LaneWriter writer = _lane.CreateWriter();
        LaneReader fast = _lane.Join(2);
        LaneReader slow = _lane.Join(5);
        int written = WriteUntilFull(writer);
        Assert.Equal((4096 - 8) / 48, written);
        Assert.Equal((1UL << 2) | (1UL << 5), writer.BlockingGroups(40));
        ReadAll(fast);
        Assert.False(writer.TryReserve(40));
        Assert.Equal(1UL << 5, writer.BlockingGroups(40));
        Assert.True(slow.TryRead(out _));
        Assert.True(slow.Release());
        Assert.False(slow.Release());
        Assert.True(writer.TryReserve(40));
        Assert.Equal(0UL, writer.BlockingGroups(40));
    }

    [Fact]
    public void Without_readers_the_oldest_make_room_and_the_floor_says_where_the_rest_begins()
    {
        LaneWriter writer = _lane.CreateWriter();
        for (int i = 0; i < 10_000; i++)
        {
            Assert.True(writer.TryWrite(BitConverter.GetBytes(i)));
        }

        LaneReader reader = _lane.Join(0);
        Assert.InRange(reader.Sequence, 10_000 - 256, 10_000 - 190);
        int expected = (int)reader.Sequence;
        while (reader.TryRead(out LaneRecord record))
        {
            Assert.Equal(expected++, BitConverter.ToInt32(reader.Payload(record)));
        }

        Assert.Equal(10_000, expected);
    }

    [Theory]
    [InlineData(4)] // unaligned
    [InlineData(-8)] // behind a lap ago
    [InlineData(1 << 20)] // ahead of the producer
    [InlineData(8)] // no record starts there
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue - 7)]
    public void A_cursor_that_no_reader_can_have_left_is_suspect_and_nothing_is_overwritten(long offset)
    {
        LaneWriter writer = _lane.CreateWriter();
        LaneReader honest = _lane.Join(1);
        for (int i = 0; i < 10; i++)
        {
            WriteUntilFull(writer);
            ReadAll(honest);
        }

        WriteUntilFull(writer);
        _ = _lane.Join(3);
        long start = (long)_lane.Gate.Cursor(3);
        long lowest = offset == -8 ? writer.Position - 4096 : start + offset;
        Atomics.Release(ref _lane.Gate.Cursor(3), (ulong)(offset is < -8 or > 1 << 20 ? offset : lowest));
        ReadAll(honest);
        Assert.False(writer.TryReserve(40));
        Assert.Equal(1UL << 3, writer.SuspectGroups);
        Assert.True(writer.IsSuspect(3));
        Assert.False(writer.IsSuspect(1));
        _lane.Leave(3);
        Assert.True(writer.TryReserve(40));
        Assert.Equal(0UL, writer.SuspectGroups);
    }

    [Fact]
    public void A_group_that_does_not_exist_is_suspect_and_never_out_of_bounds()
    {
        LaneWriter writer = _lane.CreateWriter();
        Atomics.Or(ref _lane.Gate.Active, 1UL << 8 | 1UL << 63);
        Assert.False(writer.TryReserve(8));
        Assert.Equal(1UL << 8 | 1UL << 63, writer.SuspectGroups);
        Assert.Equal(0UL, writer.BlockingGroups(2032));
        Atomics.And(ref _lane.Gate.Active, ulong.MaxValue >> 56);
        Assert.True(writer.TryReserve(8));
    }

    [Fact]
    public void A_cursor_inside_an_open_batch_is_suspect_because_nobody_can_have_read_it()
    {
        LaneWriter writer = _lane.CreateWriter();
        _ = _lane.Join(0);
        Assert.True(writer.TryWrite(new byte[40]));
        writer.BeginBatch();
        WriteUntilFull(writer);
        Atomics.Release(ref _lane.Gate.Cursor(0), 48 * 3); // a record of the batch
        Assert.False(writer.TryReserve(40));
        Assert.Equal(1UL, writer.SuspectGroups);
        Assert.Equal((0, 0), _lane.Control.Floor.Read());
    }

    [Fact]
    public void A_batch_may_fill_the_lane_and_no_more()
    {
        LaneWriter writer = _lane.CreateWriter();
        writer.BeginBatch();
        int written = WriteUntilFull(writer);
        Assert.Equal((4096 - 8) / 48, written);
        writer.PublishBatch();
        LaneReader reader = _lane.Join(0);
        Assert.Equal(written, ReadAll(reader));
    }

    [Fact]
    public void A_message_too_large_is_refused_and_changes_nothing()
    {
        LaneWriter writer = _lane.CreateWriter();
        Assert.Equal(2032, writer.MaxPayloadBytes);
        Assert.Throws<ShmMessageTooLargeException>(() => writer.TryReserve(2033));
        Assert.Throws<ShmMessageTooLargeException>(() => writer.TryReserve(int.MaxValue));
        Assert.True(writer.TryWrite(new byte[2032]));
        Assert.Equal(1, writer.Sequence);
    }

    [Fact]
    public void A_large_lane_holds_more_messages_than_a_header_can_number()
    {
        const int messages = (1 << 24) + 1_000;
        using LaneMemory large = new(256 * 1024 * 1024);
        LaneWriter writer = large.CreateWriter();
        LaneReader slow = large.Join(0);
        Assert.True(writer.TryWrite([]));
        Assert.True(slow.TryRead(out _));
        slow.Release();
        for (int i = 1; i < messages; i++)
        {
            Assert.True(writer.TryReserve(0));
            writer.Commit(0);
        }

        // The cursor stands exactly 2^24 messages behind, where the low 24 bits of both numbers agree.
        while (writer.Sequence - slow.Sequence > 1 << 24)
        {
            Assert.True(slow.TryRead(out _));
        }

        slow.Release();
        Assert.False(writer.IsSuspect(0));
        while (writer.TryReserve(1 << 20))
        {
            writer.Commit(1 << 20);
        }

        Assert.Equal(0UL, writer.SuspectGroups);
        Assert.Equal((slow.Position, slow.Sequence), large.Control.Floor.Read());
    }

    public void Dispose() => _lane.Dispose();

    private static int WriteUntilFull(LaneWriter writer)
    {
        int written = 0;
        while (writer.TryWrite(new byte[40]))
        {
            written++;
        }

        return written;
    }

    private static int ReadAll(LaneReader reader)
    {
        int read = 0;
        while (reader.TryRead(out _))
        {
            read++;
        }

        reader.Release();
        return read;
    }
}
