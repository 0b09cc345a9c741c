// EvictAfter: a consumer that lives and does not move is thrown out by the producer that it holds up, and by nobody else.

using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class EvictionTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _limit = TimeSpan.FromMilliseconds(150);
    private readonly ScratchRoot _root = new();

    [Fact]
    public void A_consumer_that_holds_a_producer_up_is_thrown_out_and_every_next_operation_says_so()
    {
        using ShmByteChannel channel = Open(_limit);
        using ByteProducer producer = channel.CreateProducer();
        ByteConsumer stuck = channel.CreateConsumer();
        using ByteConsumer honest = channel.CreateConsumer();
        long start = Environment.TickCount64; // from the first message that finds no room, its standstill counts
        Fill(producer);
        while (honest.TryRead(out _))
        {
        }

        Assert.True(stuck.TryRead(out ShmRecord record));
        byte[] inHand = record.Payload.ToArray();
        producer.Write(new byte[100], _soon);
        Assert.True(Environment.TickCount64 - start >= _limit.TotalMilliseconds - 20, "evicted too early");
        Assert.Equal(1, channel.ConsumerCount);
        for (int i = 0; i < 200; i++)
        {
            producer.Write(new byte[100], _soon);
            honest.Read(_soon);
        }

        Assert.Equal(inHand, record.Payload); // a copy
        foreach (Action operation in (Action[])[
            () => stuck.TryRead(out _), () => stuck.Read(_soon), () => stuck.WaitToRead(_soon), () => _ = stuck.Count, stuck.Release,
            () => stuck.WaitToReadAsync().AsTask().GetAwaiter().GetResult()])
        {
            ShmEvictedException evicted = Assert.Throws<ShmEvictedException>(operation);
            Assert.Contains("150 ms", evicted.Message, StringComparison.Ordinal);
            Assert.Contains("create another", evicted.Message, StringComparison.Ordinal);
        }

        stuck.Dispose();
        Assert.Equal(1, channel.ConsumerCount);
        using ByteConsumer again = channel.CreateConsumer();
        Assert.True(again.TryRead(out _));
    }

    [Fact]
    public void A_consumer_that_is_slow_but_moves_is_left_alone_also_when_it_has_many_lanes_to_read()
    {
        using ShmByteChannel channel = Open(TimeSpan.FromSeconds(5));
        ByteProducer[] producers = [channel.CreateProducer(), channel.CreateProducer(), channel.CreateProducer()];
        using ByteConsumer consumer = channel.CreateConsumer();
        int total = producers.Sum(Fill) + (3 * 8);
        long[] read = new long[3];
        Concurrently.Run(4, TimeSpan.FromSeconds(60), number =>
        {
            if (number < 3)
            {
                for (int i = 0; i < 8; i++)
                {
                    producers[number].Write(new byte[100], _soon);
                }
            }
            else
            {
                while (read.Sum() < total)
                {
                    Assert.True(consumer.WaitToRead(_soon));
                    Assert.True(consumer.TryRead(out ShmRecord record));
                    Assert.Equal(read[record.Lane]++, record.Sequence);
                    Thread.Sleep(read.Sum() < 36 ? 170 : 0); // all of a lane take longer than the limit
                }
            }
        });
        Assert.Equal((1, 0), (channel.ConsumerCount, consumer.LostMessages));
        Assert.All(producers, producer => producer.Dispose());
    }

    [Fact]
    public void Without_a_producer_in_its_way_a_consumer_may_stand_for_ever()
    {
        using ShmByteChannel channel = Open(TimeSpan.FromMilliseconds(1));
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        producer.Write("hello"u8);
        for (int i = 0; i < 10; i++)
        {
            Thread.Sleep(20);
            Assert.True(producer.TryWrite("hello"u8));
        }

        Assert.Equal(11, consumer.Count);
        Assert.Equal(1, channel.ConsumerCount);
    }

    [Fact]
    public void Without_EvictAfter_nobody_is_thrown_out()
    {
        using ShmByteChannel channel = Open(null);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Fill(producer);
        Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(500)));
        Assert.True(consumer.TryRead(out _));
    }

    [Fact]
    public void A_producer_that_drops_evicts_too()
    {
        using ShmByteChannel channel = ShmByteChannel.Create("drops", Options(_limit) with { FullMode = ShmFullMode.DropWrite });
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        long start = Environment.TickCount64;
        long written = 0;
        while (channel.ConsumerCount > 0 && Environment.TickCount64 - start < _soon.TotalMilliseconds)
        {
            Assert.True(producer.TryWrite(new byte[100]));
            written++;
            Thread.Sleep(1);
        }

        Assert.Equal(0, channel.ConsumerCount);
        long dropped = producer.DroppedMessages;
        Assert.True(dropped > 0 && dropped < written);
        Assert.True(producer.TryWrite(new byte[100]));
        Assert.Equal(dropped, producer.DroppedMessages);
        Assert.Throws<ShmEvictedException>(() => consumer.TryRead(out _));
    }

    [Fact]
    public async Task Consumers_that_stall_at_random_read_everything_up_to_their_eviction_and_nothing_else()
    {
        using ShmByteChannel channel = Open(TimeSpan.FromMilliseconds(20));
        bool isDone = false;
        int evictions = 0;
        Task[] reading = [.. Enumerable.Range(0, 3).Select(number => OwnThread.Run(() =>
        {
            Random random = new(number);
            while (!Volatile.Read(ref isDone))
            {
                using ByteConsumer consumer = channel.CreateConsumer();
                try
                {
                    long next = -1;
                    while (!Volatile.Read(ref isDone))
                    {
                        if (!consumer.TryRead(out ShmRecord record))
                        {
                            consumer.WaitToRead(TimeSpan.FromMilliseconds(20));
                            continue;
                        }

                        Assert.True(next < 0 || record.Sequence == next, $"{record.Sequence} came behind {next - 1}");
                        next = record.Sequence + 1;
                        Assert.True(record.Payload.Length == (int)(record.Sequence % 200)
                            && record.Payload.IndexOfAnyExcept((byte)record.Sequence) < 0, "torn");
                        if (random.Next(20_000) == 0)
                        {
                            Thread.Sleep(random.Next(100));
                        }
                    }

                    Assert.Equal(0, consumer.LostMessages);
                }
                catch (ShmEvictedException)
                {
                    Interlocked.Increment(ref evictions);
                }
            }
        }))];
        using ByteProducer producer = channel.CreateProducer();
        byte[] payload = new byte[200];
        long start = Environment.TickCount64;
        for (long i = 0; Environment.TickCount64 - start < (Volatile.Read(ref evictions) > 0 ? 4000 : 60_000); i++)
        {
            Span<byte> message = payload.AsSpan(0, (int)(i % 200));
            message.Fill((byte)i);
            producer.Write(message, _soon);
        }

        Volatile.Write(ref isDone, true);
        await Task.WhenAll(reading).WaitAsync(_soon);
        Assert.True(evictions > 0, "nobody was evicted, so nothing was shown");
    }

    [Fact]
    public void The_clock_counts_only_time_that_it_was_looked_at()
    {
        ManualTime time = new();
        StandstillClock clock = new(TimeSpan.FromSeconds(10), 4, time);
        Assert.False(clock.IsOver(2, 6, 80));
        time.Now += TimeSpan.FromHours(1); // the machine slept
        Assert.False(clock.IsOver(2, 6, 80));
        time.Now += TimeSpan.FromSeconds(4);
        Assert.False(clock.IsOver(2, 6, 80));
        time.Now += TimeSpan.FromSeconds(2);
        Assert.True(clock.IsOver(2, 6, 80));
        Assert.False(clock.IsOver(2, 6, 88)); // it moved
        time.Now += TimeSpan.FromSeconds(5);
        Assert.False(clock.IsOver(2, 6, 88));
        Assert.False(clock.IsOver(1, 6, 88)); // another group
        time.Now += TimeSpan.FromSeconds(5);
        Assert.False(clock.IsOver(2, 10, 88)); // another holder
        time.Now += TimeSpan.FromSeconds(5);
        Assert.False(clock.IsOver(2, 10, 88));
        time.Now += TimeSpan.FromSeconds(5);
        Assert.True(clock.IsOver(2, 10, 88));
    }

    public void Dispose() => _root.Dispose();

    /// <returns>How many messages found room.</returns>
    private static int Fill(ByteProducer producer)
    {
        int written = 0;
        while (producer.TryWrite(new byte[100]))
        {
            written++;
        }

        return written;
    }

    private ShmByteChannel Open(TimeSpan? evictAfter) => ShmByteChannel.Create("bytes", Options(evictAfter));

    private ShmChannelOptions Options(TimeSpan? evictAfter) => new()
    {
        Root = _root.Path,
        LaneCapacityBytes = 4096,
        EvictAfter = evictAfter,
    };

    private sealed class ManualTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
