// A producer may die between any two of its stores. These tests make every store that LaneWriter makes, one by one, on the lane's
// memory, and after each let a successor resume on a copy: it must find exactly what was committed, and everything must go on.

using System.Text;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public sealed class LaneTakeOverTests
{
    private const int EarlierLaps = 200; // messages, so that old bytes lie where new ones are written
    private const int Unread = 17;
    private long _cursor;
    private long _cursorNumber;
    private List<byte[]> _unread = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_death_at_any_store_of_a_publish_leaves_the_message_whole_or_not_at_all(bool isGated)
    {
        using LaneMemory lane = new();
        LaneWriter writer = Fill(lane, isGated);
        byte[] payload = Text(999);
        Assert.True(writer.TryReserve(payload.Length));
        long position = writer.Position;
        long next = position + RecordHeader.RecordBytes(0, payload.Length);
        Resume(lane, published: [], "before the payload");
        for (int i = 0; i < payload.Length; i++)
        {
            lane.Data.Bytes((position & 4095) + 8, payload.Length)[i] = payload[i];
            Resume(lane, published: [], $"after byte {i} of the payload");
        }

        lane.HeaderAt(next) = 0;
        Resume(lane, published: [], "after the terminator");
        lane.HeaderAt(position) = RecordHeader.Encode(writer.Sequence, payload.Length);
        Resume(lane, published: [payload], "after the header");

        // The stores of the committed pair: the buffer that is not valid, then the version.
        ulong version = lane.CommittedCell.UInt64(0);
        long buffer = 8 + ((long)((version + 1) & 1) * 16);
        lane.CommittedCell.UInt64(buffer) = (ulong)next;
        Resume(lane, published: [payload], "after the committed position");
        lane.CommittedCell.UInt64(buffer + 8) = (ulong)writer.Sequence + 1;
        Resume(lane, published: [payload], "after the committed number");
        lane.CommittedCell.UInt64(0) = version + 1;
        Resume(lane, published: [payload], "after the committed version");
    }

    [Fact]
    public void A_death_at_any_store_of_a_batch_leaves_all_of_it_or_nothing()
    {
        using LaneMemory lane = new();
        LaneWriter writer = Fill(lane, isGated: true);
        byte[][] batch = [Text(1), Text(22), Text(333), Text(4444)];
        writer.BeginBatch();
        foreach (byte[] payload in batch)
        {
            Assert.True(writer.TryReserve(payload.Length));
            payload.CopyTo(writer.Payload(payload.Length));
            Resume(lane, published: [], "before a commit inside the batch");

            // What Commit stores, in its order: the terminator; then the header, but for the first record.
            using LaneMemory dying = lane.Copy();
            dying.HeaderAt(writer.Position + RecordHeader.RecordBytes(0, payload.Length)) = 0;
            Resume(dying, published: [], "after a terminator inside the batch");
            writer.Commit(payload.Length);
            Resume(lane, published: [], "after a commit inside the batch");
        }

        using (LaneMemory aborting = lane.Copy())
        {
            Resume(aborting, published: [], "before the first header"); // an abort stores nothing
        }

        writer.PublishBatch();
        Resume(lane, published: batch, "after the first header");
    }

    [Fact]
    public void A_death_at_any_store_of_a_refresh_loses_nothing()
    {
        using LaneMemory lane = new();
        LaneReader reader = lane.Join(0);
        LaneWriter writer = lane.CreateWriter();
        List<byte[]> written = [];
        while (writer.TryWrite(Text(written.Count)))
        {
            written.Add(Text(written.Count));
        }

        for (int i = 0; i < 20; i++)
        {
            Assert.True(reader.TryRead(out _));
        }

        reader.Release();
        (_cursor, _cursorNumber, _unread) = (reader.Position, reader.Sequence, written[20..]);
        ulong version = lane.FloorCell.UInt64(0);
        long buffer = 8 + ((long)((version + 1) & 1) * 16);
        lane.FloorCell.UInt64(buffer) = (ulong)_cursor;
        Resume(lane, [], "after the floor's position");
        lane.FloorCell.UInt64(buffer + 8) = (ulong)_cursorNumber;
        Resume(lane, [], "after the floor's number");
        lane.FloorCell.UInt64(0) = version + 1;
        Resume(lane, [], "after the floor's version");
    }

    [Fact]
    public void A_successor_does_not_trust_a_floor_that_was_stored_but_not_acted_upon()
    {
        using LaneMemory lane = new();
        LaneWriter first = Fill(lane, isGated: true);
        using LaneMemory copy = lane.Copy();
        long held = (long)copy.Gate.Cursor(0);
        copy.Control.Floor.Write(first.Position, first.Sequence); // the joiner at cursor 0 came in between, and gates
        LaneWriter second = copy.CreateWriter();
        while (second.TryWrite(new byte[8]))
        {
        }

        Assert.True(second.Position + RecordHeader.Bytes <= held + copy.CapacityBytes);
    }

    [Theory]
    [MemberData(nameof(DamagedPairs))]
    public void Damaged_control_words_are_refused_by_name(long committed, long committedNumber, long floor, long floorNumber)
    {
        using LaneMemory lane = new();
        lane.Control.Committed.Write(committed, committedNumber);
        lane.Control.Floor.Write(floor, floorNumber);
        ShmCorruptionException refused = Assert.Throws<ShmCorruptionException>(lane.CreateWriter);
        Assert.Contains(floor.ToString(System.Globalization.CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
    }

    public static TheoryData<long, long, long, long> DamagedPairs() => new()
    {
        { 3, 0, 0, 0 },
        { 0, 0, -8, 0 },
        { 0, 0, 12, 1 },
        { 4096, 10, 0, 0 }, // no room for the terminator
        { 4104, 10, 0, 0 },
        { 64, -1, 0, 0 },
        { 64, 4, 0, -1 },
        { 64, 4, 0, 5 }, // fewer messages than before
        { 64, 9, 0, 0 }, // more messages than fit
        { long.MaxValue - 7, 5, 0, 0 },
        { long.MaxValue - 7, 5, long.MaxValue - 7, 5 },
        { long.MinValue, 5, long.MinValue, 5 },
        { 64, long.MinValue, 0, 1 },
    };

    [Fact]
    public void Random_control_words_and_data_are_refused_or_continued_and_never_hang()
    {
        using LaneMemory lane = new();
        int refused = 0;
        for (int seed = 0; seed < 20_000; seed++)
        {
            Random random = new(seed);
            lane.Clear();
            long floor = random.Next(4) * 8L * random.Next(1_000);
            long number = floor / 16;
            Scatter(lane, random, floor, number);
            lane.Control.Floor.Write(floor, number);
            lane.Control.Committed.Write(floor + random.NextInt64(-64, 4200), number + random.NextInt64(-2, 200));
            try
            {
                LaneWriter writer = lane.CreateWriter();
                Assert.InRange(writer.Position, floor, floor + 4096 - 8);
                Assert.Equal(0UL, lane.HeaderAt(writer.Position));
                for (int i = 0; i < 100; i++)
                {
                    writer.TryWrite(new byte[random.Next(300)]);
                }

                using LaneMemory copy = lane.Copy();
                Assert.Equal(writer.Sequence, copy.CreateWriter().Sequence);
            }
            catch (ShmCorruptionException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 19_999);
    }

    /// <summary>Random bytes, or a plausible chain of headers that leads around the ring without end.</summary>
    private static void Scatter(LaneMemory lane, Random random, long position, long number)
    {
        if (random.Next(2) == 0)
        {
            random.NextBytes(lane.Bytes);
            return;
        }

        for (long end = position + 8192; position < end; number++)
        {
            int bytes = random.Next(10) == 0 ? random.Next(2033) : random.Next(64);
            lane.HeaderAt(position) = RecordHeader.Encode(number, bytes);
            position += RecordHeader.RecordBytes(0, bytes);
        }
    }

    private static byte[] Text(int number) => Encoding.UTF8.GetBytes($"message {number} {new string('x', number % 37)}");

    private LaneWriter Fill(LaneMemory lane, bool isGated)
    {
        LaneWriter writer = lane.CreateWriter();
        for (int i = 0; i < EarlierLaps; i++)
        {
            Assert.True(writer.TryWrite(Text(i)));
        }

        LaneReader reader = lane.Join(0);
        while (reader.TryRead(out _))
        {
        }

        (_cursor, _cursorNumber) = (reader.Position, reader.Sequence);
        _unread = [.. Enumerable.Range(0, Unread).Select(Text)];
        Assert.All(_unread, payload => Assert.True(writer.TryWrite(payload)));
        if (!isGated)
        {
            lane.Leave(0);
        }

        return writer;
    }

    /// <summary>Lets a successor resume on a copy of the memory: what was unread is there, then what was published, then what it writes.</summary>
    private void Resume(LaneMemory lane, byte[][] published, string instant)
    {
        using LaneMemory copy = lane.Copy();
        List<byte[]> expected = [.. _unread, .. published];
        LaneWriter successor = copy.CreateWriter();
        Assert.Equal(_cursorNumber + expected.Count, successor.Sequence);
        Assert.Equal(0UL, copy.HeaderAt(successor.Position));

        int committed = expected.Count;
        expected.AddRange([Text(7), Text(36)]);
        int written = committed;
        LaneReader reader = copy.ReaderAt(0, _cursor, _cursorNumber);
        for (int i = 0; i < expected.Count; i++)
        {
            while (written < expected.Count && successor.TryWrite(expected[written]))
            {
                written++;
            }

            Assert.True(reader.TryRead(out LaneRecord record), $"{instant}: message {i} of {expected.Count} is missing");
            Assert.Equal(_cursorNumber + i, record.Sequence);
            Assert.Equal(expected[i], reader.Payload(record).ToArray());
            reader.Release();
        }

        Assert.False(reader.TryRead(out _), $"{instant}: there is one message too many");
    }
}
