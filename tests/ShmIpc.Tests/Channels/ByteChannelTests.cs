using System.Text;
using System.Threading.Channels;
using ShmIpc.Channels;
using ShmIpc.Waiting;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class ByteChannelTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Fact]
    public void A_message_crosses_as_it_was_written()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(producer.TryWrite("hello"u8));
        Assert.True(producer.TryWrite([]));
        Assert.Equal(2, consumer.Count);
        Assert.True(consumer.TryRead(out ShmRecord first));
        Assert.Equal("hello", Encoding.UTF8.GetString(first.Payload));
        Assert.Equal(0, first.Sequence);
        Assert.True(consumer.TryRead(out ShmRecord second));
        Assert.Equal(0, second.Payload.Length);
        Assert.Equal(1, second.Sequence);
        Assert.False(consumer.TryRead(out _));
    }

    [Fact]
    public void A_message_is_copied_out_and_the_rest_of_the_destination_stays()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        producer.Write("hello"u8);
        ShmRecord record = consumer.Read();
        byte[] destination = "........"u8.ToArray();
        record.CopyTo(destination);
        Assert.Equal("hello..."u8, destination);
        Exception? error = null;
        try
        {
            record.CopyTo(new byte[4]);
        }
        catch (ArgumentException tooShort)
        {
            error = tooShort;
        }

        Assert.NotNull(error);
    }

    [Fact]
    public void A_consumer_that_comes_late_starts_with_the_oldest_message()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("early"u8);
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(consumer.TryRead(out ShmRecord record));
        Assert.Equal("early", Encoding.UTF8.GetString(record.Payload));
    }

    [Fact]
    public void Without_consumers_the_oldest_messages_make_room()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        byte[] payload = new byte[100];
        for (int i = 0; i < 1000; i++)
        {
            payload[0] = (byte)i;
            Assert.True(producer.TryWrite(payload));
        }

        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(consumer.TryRead(out ShmRecord record));
        long first = record.Sequence;
        Assert.InRange(first, 900, 999);
        for (long expected = first + 1; expected < 1000; expected++)
        {
            Assert.True(consumer.TryRead(out record));
            Assert.Equal(expected, record.Sequence);
            Assert.Equal((byte)expected, record.Payload[0]);
        }

        Assert.False(consumer.TryRead(out _));
    }

    [Fact]
    public void A_full_lane_refuses_and_goes_on_when_the_consumer_reads()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        int written = 0;
        while (producer.TryWrite(new byte[100]))
        {
            written++;
        }

        Assert.InRange(written, 30, 40);
        Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(30)));
        Assert.True(consumer.TryRead(out _));
        Assert.True(consumer.TryRead(out _));
        consumer.Release();
        Assert.True(producer.TryWrite(new byte[100]));
    }

    [Fact]
    public void A_claim_is_written_in_place_and_leaves_no_trace_when_aborted()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(producer.TryClaim(64, out Claim claim));
        claim.Span.Fill(0xAA);
        claim.Abort();
        Assert.False(consumer.TryRead(out _));
        using (Claim second = producer.Claim(64))
        {
            "abc"u8.CopyTo(second.Span);
            second.Commit(3);
        }

        Assert.True(consumer.TryRead(out ShmRecord record));
        Assert.Equal("abc", Encoding.UTF8.GetString(record.Payload));
        Assert.Equal(0, record.Sequence);
        Assert.False(consumer.TryRead(out _));
    }

    [Fact]
    public void Misused_claims_are_refused()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        Assert.Throws<ArgumentOutOfRangeException>(() => producer.TryClaim(-1, out _));
        ShmMessageTooLargeException tooLarge = Assert.Throws<ShmMessageTooLargeException>(() => producer.TryClaim(channel.MaxMessageBytes + 1, out _));
        Assert.Contains("LaneCapacityBytes", tooLarge.Message, StringComparison.Ordinal);
        Assert.Throws<ShmMessageTooLargeException>(() => producer.TryWrite(new byte[channel.MaxMessageBytes + 1]));
        Claim claim = producer.Claim(8);
        try
        {
            claim.Commit(9);
            Assert.Fail("A commit beyond the claim went through.");
        }
        catch (ArgumentOutOfRangeException)
        {
        }

        Assert.Throws<InvalidOperationException>(() => producer.TryWrite("x"u8)); // this thread's claim is open
        claim.Commit(8);
        try
        {
            claim.Commit(8);
            Assert.Fail("A second commit went through.");
        }
        catch (InvalidOperationException)
        {
        }

        Assert.True(producer.TryWrite("x"u8));
    }

    [Fact]
    public void The_largest_message_fits_beside_one_that_is_held()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        byte[] payload = new byte[channel.MaxMessageBytes];
        for (int i = 0; i < 50; i++)
        {
            payload.AsSpan().Fill((byte)i);
            Assert.True(producer.TryWrite(payload));
            Assert.True(consumer.TryRead(out ShmRecord record));
            Assert.True(record.Payload.SequenceEqual(payload));
        }
    }

    [Fact]
    public void Every_consumer_sees_every_message()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer one = channel.CreateConsumer();
        using ByteConsumer two = channel.CreateConsumer();
        Assert.Equal(2, channel.ConsumerCount);
        producer.Write("x"u8);
        Assert.True(one.TryRead(out _));
        Assert.True(two.TryRead(out _));
    }

    [Fact]
    public void Producers_have_a_lane_each_and_the_limit_is_refused_by_name()
    {
        using ShmByteChannel channel = ShmByteChannel.CreateOrOpen("lanes", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096, MaxProducers = 2 });
        using ByteProducer one = channel.CreateProducer();
        using ByteProducer two = channel.CreateProducer();
        Assert.NotEqual(one.Lane, two.Lane);
        ShmLimitException refused = Assert.Throws<ShmLimitException>(channel.CreateProducer);
        Assert.Contains("MaxProducers", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, channel.ProducerCount);
        two.Dispose();
        using ByteProducer three = channel.CreateProducer();
        Assert.Equal(two.Lane, three.Lane);
    }

    [Fact]
    public void A_lane_continues_with_the_next_producer()
    {
        using ShmByteChannel channel = Open();
        using ByteConsumer consumer = channel.CreateConsumer();
        for (int round = 0; round < 20; round++)
        {
            using ByteProducer producer = channel.CreateProducer();
            for (int i = 0; i < 7; i++)
            {
                producer.Write([(byte)round, (byte)i]);
            }
        }

        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < 7; i++)
            {
                Assert.True(consumer.TryRead(out ShmRecord record));
                Assert.Equal((round * 7) + i, record.Sequence);
                Assert.Equal([(byte)round, (byte)i], record.Payload.ToArray());
            }
        }
    }

    [Theory]
    [InlineData(WaitStrategy.Adaptive)]
    [InlineData(WaitStrategy.BusySpin)]
    [InlineData(WaitStrategy.Park)]
    public async Task Waiting_readers_and_writers_are_woken(WaitStrategy strategy)
    {
        const int messages = 20_000;
        using ShmByteChannel channel = Open(strategy);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Task writing = Task.Run(
            () =>
            {
                byte[] payload = new byte[40];
                for (int i = 0; i < messages; i++)
                {
                    BitConverter.TryWriteBytes(payload, i);
                    producer.Write(payload, _soon);
                }

                producer.TryComplete();
            },
            TestContext.Current.CancellationToken);
        int expected = 0;
        while (consumer.WaitToRead(_soon))
        {
            while (consumer.TryRead(out ShmRecord record))
            {
                Assert.Equal(expected++, BitConverter.ToInt32(record.Payload));
            }
        }

        Assert.Equal(messages, expected);
        Assert.True(consumer.Completion.IsCompletedSuccessfully);
        await writing;
    }

    [Fact]
    public async Task Async_waits_cross_both_ways_and_end_on_completion()
    {
        const int messages = 20_000;
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Task writing = Task.Run(
            async () =>
            {
                for (int i = 0; i < messages; i++)
                {
                    await producer.WriteAsync(BitConverter.GetBytes(i));
                }

                producer.TryComplete(new InvalidOperationException("the source failed"));
            },
            TestContext.Current.CancellationToken);
        int expected = 0;
        ShmRemoteException error = await Assert.ThrowsAsync<ShmRemoteException>(async () =>
        {
            while (await consumer.WaitToReadAsync(TestContext.Current.CancellationToken))
            {
                while (consumer.TryRead(out ShmRecord record))
                {
                    Assert.Equal(expected++, BitConverter.ToInt32(record.Payload));
                }
            }
        });
        Assert.Equal(messages, expected);
        Assert.Equal("System.InvalidOperationException", error.RemoteTypeName);
        Assert.Equal("the source failed", error.RemoteMessage);
        Assert.Throws<ChannelClosedException>(() => consumer.Read(_soon));
        await writing;
    }

    [Fact]
    public async Task Waits_are_cancelled_promptly()
    {
        using ShmByteChannel channel = Open();
        using ByteConsumer consumer = channel.CreateConsumer();
        using CancellationTokenSource cancel = new(TimeSpan.FromMilliseconds(30));
        Assert.Throws<OperationCanceledException>(() => consumer.WaitToRead(_soon, cancel.Token));
        using CancellationTokenSource again = new(TimeSpan.FromMilliseconds(30));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await consumer.WaitToReadAsync(again.Token));
    }

    [Fact]
    public void Deleting_a_channel_reaches_those_who_use_it()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(ShmChannel.Delete("bytes", _root.Path));
        Assert.False(ShmChannel.Delete("bytes", _root.Path));
        Assert.Throws<ShmRegionDeletedException>(() => consumer.WaitToRead(_soon));
        Assert.Throws<ShmRegionDeletedException>(() => consumer.TryRead(out _));
        Assert.Throws<ShmRegionDeletedException>(() => producer.TryWrite("x"u8));
        Assert.Throws<ShmRegionDeletedException>(() => producer.TryWrite("x"u8));
        Assert.Throws<ShmRegionDeletedException>(channel.CreateProducer);
        using ShmByteChannel second = Open();
        using ByteProducer fresh = second.CreateProducer();
        fresh.Write("new"u8);
        Assert.Throws<ShmRegionDeletedException>(() => consumer.TryRead(out _));
    }

    [Fact]
    public void Use_after_dispose_is_an_exception()
    {
        ShmByteChannel channel = Open();
        ByteProducer producer = channel.CreateProducer();
        ByteConsumer consumer = channel.CreateConsumer();
        channel.Dispose();
        channel.Dispose();
        Assert.Throws<ObjectDisposedException>(channel.CreateProducer);
        producer.Write("still works"u8);
        Assert.True(consumer.TryRead(out _));
        producer.Dispose();
        producer.Dispose();
        consumer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => producer.TryWrite("x"u8));
        Assert.Throws<ObjectDisposedException>(() => consumer.TryRead(out _));
        Assert.Throws<ObjectDisposedException>(() => consumer.WaitToRead(_soon));
    }

    [Fact]
    public void Publishing_and_reading_allocate_nothing()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        byte[] payload = new byte[64];
        void Exchange(int count)
        {
            for (int i = 0; i < count; i++)
            {
                producer.Write(payload);
                using (Claim claim = producer.Claim(64))
                {
                    claim.Commit(64);
                }

                consumer.Read();
                consumer.Read();
            }
        }

        Exchange(1000);
        Assert.Equal(0, AllocatedBytes.Of(() => Exchange(100_000)));
    }

    public void Dispose() => _root.Dispose();

    private ShmByteChannel Open(WaitStrategy strategy = WaitStrategy.Adaptive) =>
        ShmByteChannel.CreateOrOpen("bytes", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096, WaitStrategy = strategy });
}
