// Batches: everything at once or nothing, whatever ends them. Deaths in the middle of one are in ShmIpc.ProcessTests.

using System.Buffers.Binary;
using System.Text;
using System.Threading.Channels;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class BatchTests : IDisposable
{
    private const int Capacity = 4096;
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _shortly = TimeSpan.FromMilliseconds(50);
    private readonly ScratchRoot _root = new();
    private readonly ShmByteChannel _channel;
    private readonly ByteProducer _producer;
    private readonly ByteConsumer _consumer;

    public BatchTests()
    {
        _channel = ShmByteChannel.Create(
            "batch", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = Capacity, MaxProducers = 1 });
        _producer = _channel.CreateProducer();
        _consumer = _channel.CreateConsumer();
    }

    [Fact]
    public void All_of_a_batch_appears_at_once()
    {
        _producer.Write("before"u8);
        using (Batch batch = _producer.BeginBatch())
        {
            Assert.True(batch.TryWrite("one"u8));
            Assert.True(batch.TryClaim(100, out Claim claim));
            "two"u8.CopyTo(claim.Span);
            claim.Commit(3);
            Assert.True(batch.TryWrite([]));
            Assert.Equal(1, _consumer.Count);
            batch.Publish();
        }

        _producer.Write("after"u8);
        Assert.Equal(["before", "one", "two", "", "after"], ReadAll());
    }

    [Fact]
    public void A_batch_that_is_not_published_leaves_no_trace()
    {
        using (Batch batch = _producer.BeginBatch())
        {
            batch.Write("never"u8);
            batch.Write("never"u8);
        }

        Batch aborted = _producer.BeginBatch();
        aborted.Write("never"u8);
        aborted.Claim(10).Span.Fill(0xFF); // ends with the batch
        aborted.Abort();
        aborted.Dispose();
        _producer.BeginBatch().Publish(); // empty
        Assert.Equal(0, _consumer.Count);
        _producer.Write("x"u8);
        Assert.True(_consumer.TryRead(out ShmRecord record));
        Assert.Equal(0, record.Sequence);
        Assert.Equal(0, record.Position);
    }

    [Fact]
    public void A_batch_may_fill_the_lane_and_not_one_byte_more()
    {
        Assert.Equal(Capacity - 8, _producer.MaxBatchBytes);
        byte[] half = new byte[_producer.MaxMessageBytes]; // 2032 bytes, 2040 with its header
        for (int round = 0; round < 5; round++)
        {
            _producer.Write("shift"u8); // so that the batch wraps around at other places
            Assert.Equal(["shift"], ReadAll());
            Batch batch = _producer.BeginBatch();
            Assert.True(batch.TryWrite(half));
            Assert.True(batch.TryWrite(half));
            Assert.True(batch.TryWrite([])); // the last 8 bytes, but for the terminator
            try
            {
                batch.TryWrite([]);
                Assert.Fail("More than a lane went into a batch.");
            }
            catch (ShmBatchTooLargeException error)
            {
                Assert.Equal(Capacity, error.BatchBytes);
                Assert.Equal(Capacity - 8, error.MaxBatchBytes);
                Assert.Contains("LaneCapacityBytes", error.Message, StringComparison.Ordinal);
            }

            batch.Publish();
            Assert.Equal([2032, 2032, 0], ReadAll().Select(message => message.Length));
        }
    }

    [Fact]
    public async Task A_batch_waits_for_what_stands_before_it()
    {
        byte[] payload = new byte[1000];
        while (_producer.TryWrite(payload))
        {
        }

        int before = (int)_consumer.Count;
        Assert.False(_producer.TryWriteBatch([payload, payload]));
        Assert.Throws<TimeoutException>(() => _producer.WriteBatch([payload, payload], _shortly));
        Assert.Throws<TimeoutException>(() =>
        {
            using Batch batch = _producer.BeginBatch();
            batch.Write(payload, _shortly);
        });
        using CancellationTokenSource cancellation = new(_shortly);
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            using Batch batch = _producer.BeginBatch();
            batch.Write(payload, null, cancellation.Token);
        });
        Assert.Equal(before, _consumer.Count);

        Task waiting = OwnThread.Run(() =>
        {
            using Batch batch = _producer.BeginBatch();
            for (int i = 0; i < 4; i++)
            {
                batch.Write(payload, _soon);
            }

            batch.Publish();
        });
        int seen = 0;
        for (; seen < before + 4; seen++)
        {
            _ = _consumer.Read(_soon);
        }

        await waiting.WaitAsync(_soon);
        Assert.False(_consumer.TryRead(out _));
    }

    [Fact]
    public async Task Many_payloads_go_in_one_call()
    {
        ReadOnlyMemory<byte>[] payloads = [.. Enumerable.Range(0, 8).Select(i => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"{i}"))];
        Assert.True(_producer.TryWriteBatch(payloads));
        Assert.True(_producer.TryWriteBatch([]));
        _producer.WriteBatch(payloads);
        await _producer.WriteBatchAsync(payloads);
        Assert.Equal("012345670123456701234567", string.Concat(ReadAll()));

        Assert.Throws<ShmMessageTooLargeException>(() => _producer.TryWriteBatch([new byte[_producer.MaxMessageBytes + 1]]));
        byte[] half = new byte[_producer.MaxMessageBytes];
        Assert.Throws<ShmBatchTooLargeException>(() => _producer.WriteBatch([half, half, payloads[0], payloads[1]]));
        await Assert.ThrowsAsync<ShmBatchTooLargeException>(
            () => _producer.WriteBatchAsync((ReadOnlyMemory<byte>[])[half, half, half]).AsTask());
        Assert.Equal(0, _consumer.Count);

        while (_producer.TryWrite(half))
        {
        }

        Task waiting = _producer.WriteBatchAsync((ReadOnlyMemory<byte>[])[half, half]).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(2032, _consumer.Read(_soon).Payload.Length);
        Assert.Equal(2032, _consumer.Read(_soon).Payload.Length);
        Assert.Equal(2032, _consumer.Read(_soon).Payload.Length); // waits, and gives back what it had in hand
        await waiting.WaitAsync(_soon);
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _producer.WriteBatchAsync(payloads, cancelled.Token).AsTask());
    }

    [Fact]
    public void Misused_batches_are_refused()
    {
        Batch batch = _producer.BeginBatch();
        Assert.Throws<InvalidOperationException>(() => _producer.TryWrite("x"u8));
        Assert.Throws<InvalidOperationException>(() => _producer.BeginBatch());
        Assert.Throws<InvalidOperationException>(() => _producer.TryComplete());
        Claim claim = batch.Claim(10);
        Refused(batch, static batch => batch.TryWrite("x"u8));
        Refused(batch, static batch => batch.TryClaim(1, out _));
        Refused(batch, static batch => batch.Publish());
        claim.Commit(0);
        Batch copy = batch;
        batch.Publish();
        Refused(batch, static batch => batch.Publish());
        Refused(copy, static copy => copy.TryWrite("x"u8));
        Refused(copy, static copy => copy.Publish());
        Refused(default, static nobodys => nobodys.TryWrite("x"u8));
        copy.Dispose();
        Assert.Equal(1, _consumer.Count);

        _producer.TryComplete();
        Assert.Throws<ChannelClosedException>(() => _producer.BeginBatch());
        Assert.False(_producer.TryWriteBatch([new byte[1]]));
        Assert.Throws<ChannelClosedException>(() => _producer.WriteBatch([new byte[1]]));
    }

    [Fact]
    public void A_producer_that_is_disposed_under_its_batch_publishes_nothing_of_it()
    {
        _producer.Write("whole"u8);
        Batch batch = _producer.BeginBatch();
        batch.Write("never"u8);
        batch.Write("never"u8);
        _producer.Dispose();
        try
        {
            batch.Publish();
            Assert.Fail("A batch of a disposed producer was published.");
        }
        catch (ObjectDisposedException)
        {
        }

        batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _producer.BeginBatch());
        using ByteProducer successor = _channel.CreateProducer();
        successor.Write("next"u8);
        Assert.Equal(["whole", "next"], ReadAll());
    }

    [Fact]
    public async Task Consumers_never_see_a_part_of_a_batch()
    {
        const int Batches = 20_000;
        const int Messages = 7;
        Task writing = OwnThread.Run(() =>
        {
            for (int number = 0; number < Batches; number++)
            {
                if (number % 3 == 0)
                {
                    using Batch aborted = _producer.BeginBatch();
                    Add(aborted, number);
                }

                using Batch batch = _producer.BeginBatch();
                Add(batch, number);
                batch.Publish();
            }
        });
        for (int number = 0; number < Batches * Messages; number++)
        {
            if (number % Messages == 0)
            {
                Assert.True(_consumer.WaitToRead(_soon));
                Assert.Equal(0, _consumer.Count % Messages);
            }

            Assert.True(_consumer.TryRead(out ShmRecord record)); // the rest of a batch needs no wait
            Assert.Equal(number, BinaryPrimitives.ReadInt32LittleEndian(record.Payload));
        }

        await writing.WaitAsync(_soon);

        static void Add(Batch batch, int number)
        {
            Span<byte> payload = stackalloc byte[64];
            for (int i = 0; i < Messages; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(payload, (number * Messages) + i);
                batch.Write(payload[..(4 + (number % 60))], _soon);
            }
        }
    }

    [Fact]
    public async Task Typed_messages_go_in_batches_too()
    {
        using ShmChannel<string> channel = ShmChannel.Create<string>(
            "typed", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = Capacity, MaxProducers = 1 });
        using Producer<string> producer = channel.CreateProducer();
        using Consumer<string> consumer = channel.CreateConsumer();
        Assert.True(producer.TryWriteBatch(["a", "b"]));
        producer.WriteBatch(["c"]);
        await producer.WriteBatchAsync((string[])["d", "e"]);
        Assert.True(producer.TryWriteBatch([]));
        Assert.Equal("abcde", string.Concat(Enumerable.Range(0, 5).Select(_ => consumer.Read(_soon))));

        string large = new('x', 1000);
        Assert.False(consumer.TryRead(out _)); // gives back what was in hand
        Assert.Throws<ShmBatchTooLargeException>(() => producer.TryWriteBatch([large, large, large, large, large]));
        Assert.Throws<ShmMessageTooLargeException>(() => producer.TryWriteBatch(["x", new('x', 5000)]));
        Assert.Equal(0, consumer.Count);

        while (producer.TryWrite(large))
        {
        }

        Assert.False(producer.TryWriteBatch(["1", large, large, large]));
        Assert.Throws<TimeoutException>(() => producer.WriteBatch(["1", large, large, large], _shortly));
        Task waiting = producer.WriteBatchAsync((string[])["1", large, large, large]).AsTask();
        Task waitingToo = OwnThread.Run(() => producer.WriteBatch(["1", large, large, large], _soon));
        List<string> seen = [];
        while (seen.Count < 12)
        {
            string item = consumer.Read(_soon);
            seen.Add(item);
            if (seen.Count == 4)
            {
                Assert.NotEqual("1", item);
            }
        }

        await Task.WhenAll(waiting, waitingToo).WaitAsync(_soon);
        Assert.Equal(2, seen.Count(item => item == "1"));
        producer.TryComplete();
        Assert.False(producer.TryWriteBatch(["x"]));
        await Assert.ThrowsAsync<ChannelClosedException>(() => producer.WriteBatchAsync((string[])["x"]).AsTask());
    }

    public void Dispose()
    {
        _consumer.Dispose();
        _producer.Dispose();
        _channel.Dispose();
        _root.Dispose();
    }

    private static void Refused(Batch batch, Action<Batch> use)
    {
        try
        {
            use(batch);
        }
        catch (InvalidOperationException)
        {
            return;
        }

        Assert.Fail("A misuse went through.");
    }

    private List<string> ReadAll()
    {
        List<string> messages = [];
        while (_consumer.TryRead(out ShmRecord record))
        {
            messages.Add(Encoding.UTF8.GetString(record.Payload));
        }

        return messages;
    }
}
