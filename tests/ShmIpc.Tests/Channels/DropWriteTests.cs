// DropWrite: what does not fit is dropped and counted, exactly, by its producer and by the channel; writing never waits.

using System.Threading.Channels;
using ShmIpc.Channels;
using ShmIpc.Regions;
using ShmIpc.Tests.Regions;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class DropWriteTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Fact]
    public async Task A_message_without_room_is_dropped_and_writing_says_that_it_succeeded()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        int kept = 0;
        while (producer.DroppedMessages == 0)
        {
            Assert.True(producer.TryWrite(new byte[100]));
            kept++;
        }

        kept--;
        producer.Write(new byte[100]); // for ever is no time at all
        await producer.WriteAsync(new byte[100]);
        Assert.Equal((3, 3), (producer.DroppedMessages, channel.DroppedMessages));
        Assert.Equal(kept, consumer.Count);
        for (int i = 0; i < kept; i++)
        {
            Assert.True(consumer.TryRead(out ShmRecord record));
            Assert.Equal(i, record.Sequence);
        }

        Assert.False(consumer.TryRead(out _));
        Assert.True(producer.TryWrite(new byte[100])); // the room was given back
        Assert.True(consumer.TryRead(out _));
        Assert.Equal((3, 3, 0), (producer.DroppedMessages, channel.DroppedMessages, consumer.LostMessages));
    }

    [Fact]
    public async Task A_typed_producer_drops_and_counts_as_well_and_never_waits()
    {
        using ShmChannel<string> channel = ShmChannel.Create<string>("typed", Options());
        using Producer<string> producer = channel.CreateProducer();
        using Consumer<string> consumer = channel.CreateConsumer();
        for (int i = 0; i < 100; i++)
        {
            Assert.True(await producer.WaitToWriteAsync());
            Assert.True(producer.TryWrite(new string('x', 100)));
        }

        producer.Write("one more");
        await producer.WriteAsync("and another");
        Assert.Equal(102, consumer.Count + producer.DroppedMessages);
        Assert.True(producer.DroppedMessages > 50);
        Assert.Equal(producer.DroppedMessages, channel.DroppedMessages);
        Assert.Throws<ShmMessageTooLargeException>(() => producer.TryWrite(new string('x', 3000)));
        Assert.True(producer.TryComplete());
        Assert.False(producer.TryWrite("too late"));
        Assert.False(await producer.WaitToWriteAsync());
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await producer.WriteAsync("too late"));
        Assert.Throws<ChannelClosedException>(() => producer.Write("too late"));
        Assert.Equal(102, consumer.Count + producer.DroppedMessages);
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.WaitToWriteAsync(cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.WriteAsync("x", cancelled.Token));
        producer.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await producer.WaitToWriteAsync());
    }

    [Fact]
    public void A_claim_without_room_is_refused_or_waits_and_is_no_drop()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        while (producer.TryClaim(100, out Claim claim))
        {
            claim.Commit(100);
        }

        Assert.False(producer.TryClaim(100, out _));
        Assert.Throws<TimeoutException>(() => producer.Claim(100, TimeSpan.FromMilliseconds(20)));
        Assert.Equal((0, 0), (producer.DroppedMessages, channel.DroppedMessages));
        while (consumer.TryRead(out _))
        {
        }

        producer.Claim(100, _soon).Commit(1);
        Assert.Equal(0, channel.DroppedMessages);
    }

    [Fact]
    public void The_channels_count_outlives_its_producers_and_a_new_producer_starts_at_nothing()
    {
        using ShmByteChannel channel = Open();
        using ByteConsumer consumer = channel.CreateConsumer();
        using (ByteProducer first = channel.CreateProducer())
        {
            while (first.DroppedMessages < 5)
            {
                first.TryWrite(new byte[500]);
            }
        }

        Assert.Equal(5, channel.DroppedMessages);
        using ByteProducer second = channel.CreateProducer();
        using ByteProducer third = channel.CreateProducer();
        Assert.True(second.TryWrite(new byte[500]));
        Assert.Equal((0, 1, 0), (second.Lane, second.DroppedMessages, third.DroppedMessages));
        while (third.DroppedMessages < 2)
        {
            third.TryWrite(new byte[500]);
        }

        Assert.Equal(8, channel.DroppedMessages);
        using SharedWords words = new(_root.FileOf("bytes"));
        Assert.Equal((6UL, 2UL), (words.Lane(0).Dropped, words.Lane(1).Dropped));
    }

    [Fact]
    public void A_group_without_a_living_consumer_costs_no_more_drops_than_one_look()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        ByteConsumer consumer = channel.CreateConsumer();
        while (producer.DroppedMessages == 0)
        {
            producer.TryWrite(new byte[100]);
        }

        consumer.Dispose();
        for (int i = 0; i < 1000; i++)
        {
            producer.TryWrite(new byte[100]);
        }

        Assert.Equal(1, producer.DroppedMessages);
    }

    [Fact]
    public async Task With_several_producers_what_was_written_is_what_came_and_what_was_dropped()
    {
        const int Producers = 4;
        const int Messages = 100_000;
        using ShmByteChannel channel = Open();
        using ByteConsumer consumer = channel.CreateConsumer();
        ByteProducer[] producers = [.. Enumerable.Range(0, Producers).Select(_ => channel.CreateProducer())]; // all, before one completes
        Task<long>[] writing = [.. producers.Select((producer, number) => OwnThread.Run(() =>
        {
            byte[] payload = new byte[16];
            for (long i = 0; i < Messages; i++)
            {
                BitConverter.TryWriteBytes(payload, (long)number);
                BitConverter.TryWriteBytes(payload.AsSpan(8), i);
                Assert.True(producer.TryWrite(payload));
            }

            producer.TryComplete();
            return producer.DroppedMessages;
        }))];
        long[] read = new long[Producers];
        long[] last = [-1, -1, -1, -1];
        while (consumer.WaitToRead(_soon))
        {
            while (consumer.TryRead(out ShmRecord record))
            {
                long producer = BitConverter.ToInt64(record.Payload);
                long number = BitConverter.ToInt64(record.Payload[8..]);
                Assert.True(number > last[producer]);
                last[producer] = number;
                read[producer]++;
            }
        }

        Assert.True(consumer.Completion.IsCompletedSuccessfully);
        long[] dropped = await Task.WhenAll(writing);
        for (int i = 0; i < Producers; i++)
        {
            Assert.Equal(Messages, read[i] + dropped[i]);
        }

        Assert.Equal(dropped.Sum(), channel.DroppedMessages);
        Assert.True(dropped.Sum() > 0, "nothing was dropped, so nothing was shown");
        Array.ForEach(producers, producer => producer.Dispose());
    }

    [Fact]
    public void In_other_modes_nothing_is_dropped()
    {
        ShmChannelOptions options = Options();
        options.FullMode = null;
        using ShmByteChannel channel = ShmByteChannel.Create("waits", options);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        while (producer.TryWrite(new byte[100]))
        {
        }

        Assert.Equal((0, 0), (producer.DroppedMessages, channel.DroppedMessages));
    }

    public void Dispose() => _root.Dispose();

    private ShmByteChannel Open() => ShmByteChannel.CreateOrOpen("bytes", Options());

    private ShmChannelOptions Options() => new()
    {
        Root = _root.Path,
        LaneCapacityBytes = 4096,
        MaxProducers = 4,
        FullMode = ShmFullMode.DropWrite,
    };
}
