// Reading many records in place: how long they stay, and what is given back when.

using System.Text;
using System.Threading.Channels;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class RecordBatchTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();
    private readonly ShmByteChannel _channel;
    private readonly ByteProducer _producer;
    private readonly ByteConsumer _consumer;

    public RecordBatchTests()
    {
        _channel = ShmByteChannel.Create("batch", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096, MaxProducers = 3 });
        _producer = _channel.CreateProducer();
        _consumer = _channel.CreateConsumer();
    }

    [Fact]
    public void Many_records_are_there_at_once_and_as_often_as_needed()
    {
        Write("a", "bb", "", "dddd", "e");
        using (RecordBatch one = _consumer.ReadBatch(1, _soon))
        {
            Assert.Equal(["0 a"], Texts(one));
        }

        Assert.True(_consumer.TryRead(out _));

        using RecordBatch batch = _consumer.ReadBatch(2, _soon);
        Assert.Equal(2, batch.Count);
        Assert.Equal(_producer.Lane, batch.Lane);
        Assert.Equal(["2 ", "3 dddd"], Texts(batch));
        Assert.Equal(["2 ", "3 dddd"], Texts(batch));
        batch.Release();
        Assert.True(_consumer.TryReadBatch(int.MaxValue, out RecordBatch rest));
        Assert.Equal(["4 e"], Texts(rest));
        rest.Dispose();
        Assert.False(_consumer.TryReadBatch(1, out RecordBatch none));
        Assert.Equal(0, none.Count);
        Assert.Empty(Texts(none));
        none.Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => _consumer.TryReadBatch(0, out _));
        Assert.Throws<TimeoutException>(() => _consumer.ReadBatch(5, TimeSpan.FromMilliseconds(20)));
    }

    [Fact]
    public void Nothing_is_given_back_before_the_release_and_everything_after_it()
    {
        byte[] payload = new byte[500];
        int written = Fill(payload);
        Assert.True(_consumer.TryReadBatch(written, out RecordBatch batch));
        Assert.Equal(written, batch.Count);
        Thread writer = new(() => _producer.Write(new byte[500], _soon)); // waits for room, and is parked soon
        writer.Start();
        Assert.False(writer.Join(TimeSpan.FromMilliseconds(200)));
        int number = 0;
        foreach (ShmRecord record in batch)
        {
            Assert.Equal((byte)number++, record.Payload[0]);
        }

        Assert.False(writer.Join(TimeSpan.Zero));
        batch.Release();
        Assert.True(writer.Join(_soon));
        Assert.Equal(1, _consumer.Count);
        Assert.Equal(written - 1, Fill(payload));
    }

    [Fact]
    public void What_was_read_before_a_batch_is_given_back_when_a_producer_waits()
    {
        byte[] payload = new byte[500];
        Fill(payload);
        _ = _consumer.Read(_soon);
        Thread writer = new(() => _producer.Write(payload, _soon));
        writer.Start();
        AwaitSleepingWriter();
        using RecordBatch batch = _consumer.ReadBatch(3, _soon);
        Assert.True(writer.Join(_soon));
        Assert.Equal([1, 2, 3], Numbers(batch));
    }

    [Fact]
    public void A_batch_is_of_one_lane_and_the_lanes_take_turns()
    {
        using ByteProducer second = _channel.CreateProducer();
        using ByteProducer third = _channel.CreateProducer();
        foreach (ByteProducer producer in (ByteProducer[])[_producer, second, third])
        {
            for (int i = 0; i < 100; i++)
            {
                producer.Write([(byte)i]);
            }
        }

        List<int> lanes = [];
        while (_consumer.TryReadBatch(70, out RecordBatch batch))
        {
            lanes.Add(batch.Lane);
            batch.Dispose();
        }

        Assert.Equal([0, 1, 2], lanes[..3].Order());
        Assert.Equal([0, 0, 1, 1, 2, 2], lanes.Order());
    }

    [Fact]
    public void Nobody_reads_while_a_batch_is_open()
    {
        Write("a", "b", "c");
        RecordBatch batch = _consumer.ReadBatch(2, _soon);
        Assert.Throws<InvalidOperationException>(() => _consumer.TryRead(out _));
        Assert.Throws<InvalidOperationException>(() => _consumer.Release());
        Assert.Throws<InvalidOperationException>(() => _consumer.TryReadBatch(1, out _));
        string seen = "";
        Thread other = new(() => seen = Encoding.UTF8.GetString(_consumer.Read(_soon).Payload));
        other.Start();
        Assert.False(other.Join(100));
        Assert.Equal(["0 a", "1 b"], Texts(batch));
        RecordBatch copy = batch;
        batch.Dispose();
        Assert.True(other.Join(_soon));
        Assert.Equal("c", seen);
        copy.Dispose();
        try
        {
            _ = Texts(copy);
            Assert.Fail("A batch was read after its end.");
        }
        catch (InvalidOperationException)
        {
        }
    }

    [Fact]
    public void A_consumer_that_is_disposed_under_its_batch_takes_its_memory_along()
    {
        Write("a", "b");
        RecordBatch batch = _consumer.ReadBatch(2, _soon);
        _consumer.Dispose();
        try
        {
            _ = Texts(batch);
            Assert.Fail("A batch of a disposed consumer was read.");
        }
        catch (ObjectDisposedException)
        {
        }

        batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _consumer.TryReadBatch(1, out _));
    }

    [Fact]
    public void Messages_that_are_finished_with_one_by_one_are_read_one_by_one()
    {
        using ByteConsumer shared = _channel.CreateConsumer(new ConsumerOptions { Group = "shared", Kind = GroupKind.Shared });
        using ByteConsumer manual = _channel.CreateConsumer(
            new ConsumerOptions { Group = "manual", Acknowledge = AcknowledgeMode.Manual });
        Write("a");
        Assert.Throws<InvalidOperationException>(() => shared.TryReadBatch(1, out _));
        Assert.Throws<InvalidOperationException>(() => manual.TryReadBatch(1, out _));
        Assert.Equal(1, shared.Count);
    }

    [Fact]
    public void The_batch_of_a_named_group_comes_again_unless_it_was_released()
    {
        ByteConsumer first = _channel.CreateConsumer(new ConsumerOptions { Group = "durable", Durable = true });
        Write("a", "b", "c", "d");
        first.ReadBatch(2, _soon).Release();
        first.Dispose();
        using ByteConsumer second = _channel.CreateConsumer(new ConsumerOptions { Group = "durable", Durable = true });
        using RecordBatch rest = second.ReadBatch(10, _soon);
        Assert.Equal(["2 c", "3 d"], Texts(rest));
    }

    [Fact]
    public void A_damaged_record_ends_the_batch_before_it_and_is_reported_by_the_next_read()
    {
        Write("a", "b", "c");
        using (FileStream file = new(Path.Combine(_root.Path, "batch"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = file.Length - (3 * 4096) + 32; // the header of the third record of lane 0
            file.Write([0xEE, 0xEE, 0xEE, 0xEE]);
        }

        RecordBatch batch = _consumer.ReadBatch(10, _soon);
        Assert.Equal(["0 a", "1 b"], Texts(batch));
        batch.Release();
        Assert.Throws<ShmCorruptionException>(() => _consumer.TryReadBatch(10, out _));
        Assert.False(_consumer.TryReadBatch(10, out _));
    }

    [Fact]
    public void A_wait_for_a_batch_ends_with_completion()
    {
        _producer.TryComplete();
        Assert.Throws<ChannelClosedException>(() => _consumer.ReadBatch(1, _soon));
    }

    [Fact]
    public async Task Everything_comes_in_order_through_batches_of_any_size()
    {
        const int Messages = 200_000;
        Task writing = OwnThread.Run(() =>
        {
            for (int i = 0; i < Messages; i++)
            {
                _producer.Write(BitConverter.GetBytes(i).AsSpan(0, 4), _soon);
            }
        });
        Random random = new(42);
        int next = 0;
        while (next < Messages)
        {
            using RecordBatch batch = _consumer.ReadBatch(1 + random.Next(300), _soon);
            foreach (ShmRecord record in batch)
            {
                Assert.Equal(next, BitConverter.ToInt32(record.Payload));
                Assert.Equal(next, record.Sequence);
                next++;
            }
        }

        await writing.WaitAsync(_soon);
    }

    private void AwaitSleepingWriter()
    {
        ChannelRegion region = ChannelRegion.Attach("batch", "bytes", 0, new ShmChannelOptions { Root = _root.Path }, ChannelOpenMode.Open);
        try
        {
            Assert.True(SpinWait.SpinUntil(() => region.Writers.AnyParked, _soon));
        }
        finally
        {
            region.ReleaseReference();
        }
    }

    public void Dispose()
    {
        _consumer.Dispose();
        _producer.Dispose();
        _channel.Dispose();
        _root.Dispose();
    }

    private static List<string> Texts(RecordBatch batch)
    {
        List<string> texts = [];
        foreach (ShmRecord record in batch)
        {
            texts.Add($"{record.Sequence} {Encoding.UTF8.GetString(record.Payload)}");
        }

        return texts;
    }

    private static List<int> Numbers(RecordBatch batch)
    {
        List<int> numbers = [];
        foreach (ShmRecord record in batch)
        {
            numbers.Add(record.Payload[0]);
        }

        return numbers;
    }

    private void Write(params string[] messages)
    {
        foreach (string message in messages)
        {
            _producer.Write(Encoding.UTF8.GetBytes(message));
        }
    }

    /// <summary>Numbered messages until the lane is full; returns how many.</summary>
    private int Fill(byte[] payload)
    {
        int written = 0;
        for (; written < 256; written++)
        {
            payload[0] = (byte)written;
            if (!_producer.TryWrite(payload))
            {
                break;
            }
        }

        return written;
    }
}
