// Named groups on channels that drop the oldest or evict: stand-bys, shared members, manual acknowledgement.

using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class FullGroupTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _limit = TimeSpan.FromMilliseconds(150);
    private readonly ScratchRoot _root = new();

    [Fact]
    public void A_shared_group_is_refused_where_the_oldest_is_dropped()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        ConsumerOptions shared = new() { Group = "workers", Kind = GroupKind.Shared };
        Assert.Contains("drops the oldest",
            Assert.Throws<ShmGroupException>(() => channel.CreateConsumer(shared)).Message, StringComparison.Ordinal);
        Assert.Equal(0, channel.ConsumerCount);
        channel.CreateConsumer().Dispose(); // nothing was taken
    }

    [Fact]
    public void A_stand_by_goes_on_where_the_oldest_is_dropped_and_no_producer_waits_for_either()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions named = new() { Group = "log" };
        ByteConsumer first = channel.CreateConsumer(named);
        using ByteConsumer second = channel.CreateConsumer(named);
        Write(producer, 0, 50);
        for (long i = 0; i < 20; i++)
        {
            Assert.Equal(i, Number(first.Read(_soon)));
        }

        Assert.False(second.TryRead(out _));
        first.Dispose();
        Assert.Equal(20, Number(second.Read(_soon)));
        Assert.Equal((0, 1), (second.LostMessages, channel.ConsumerCount));
        Write(producer, 50, 5000);
        long next = Number(second.Read(_soon));
        Assert.Equal(next - 21, second.LostMessages);
        second.Dispose();
        Write(producer, 5000, 9000);
        using ByteConsumer third = channel.CreateConsumer(named); // the group ended with its last member
        Assert.Equal(9000 - third.Count, Number(third.Read(_soon)));
        Assert.Equal(0, third.LostMessages);
    }

    [Fact]
    public void A_durable_group_that_was_overrun_while_nobody_read_continues_at_the_oldest()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions durable = new() { Group = "audit", Durable = true };
        using (ByteConsumer first = channel.CreateConsumer(durable))
        {
            Write(producer, 0, 10);
            Assert.Equal(0, Number(first.Read(_soon)));
        }

        Write(producer, 10, 5000);
        using ByteConsumer second = channel.CreateConsumer(durable);
        long left = second.Count;
        Assert.InRange(left, 100, 200);
        for (long i = 5000 - left; i < 5000; i++)
        {
            Assert.Equal(i, Number(second.Read(_soon)));
        }

        Assert.False(second.TryRead(out _));
    }

    [Fact]
    public void A_latest_consumer_starts_at_the_end_where_the_oldest_is_dropped()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        using ByteProducer producer = channel.CreateProducer();
        Write(producer, 0, 5000);
        using ByteConsumer latest = channel.CreateConsumer(new ConsumerOptions { Start = StartPosition.Latest });
        Assert.Equal((0, 0), (latest.Count, latest.LostMessages));
        Write(producer, 5000, 5001);
        Assert.Equal(5000, Number(latest.Read(_soon)));
    }

    [Fact]
    public void Messages_in_flight_may_be_overwritten_where_the_oldest_is_dropped()
    {
        using ShmChannel<string> channel = ShmChannel.Create<string>("typed", Options(ShmFullMode.DropOldest));
        using Producer<string> producer = channel.CreateProducer();
        ConsumerOptions manual = new() { Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 2 };
        using Consumer<string> consumer = channel.CreateConsumer(manual);
        producer.Write("one");
        producer.Write("two");
        Delivery<string> one = consumer.Receive(_soon);
        Delivery<string> two = consumer.Receive(_soon);
        Assert.Throws<InvalidOperationException>(() => consumer.TryReceive(out _));
        for (int i = 0; i < 1000; i++)
        {
            producer.Write($"{i:D30}");
        }

        two.Acknowledge();
        one.Acknowledge();
        long left = consumer.Count;
        Assert.Equal($"{1000 - left:D30}", consumer.Receive(_soon).Message);
        Assert.Equal(1000 - left, consumer.LostMessages);
        Assert.Equal(("one", "two"), (one.Message, two.Message));
    }

    [Fact]
    public void A_shared_group_with_a_member_that_is_stuck_is_evicted_whole()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait, _limit);
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions shared = new() { Group = "workers", Kind = GroupKind.Shared };
        using ByteConsumer stuck = channel.CreateConsumer(shared);
        using ByteConsumer honest = channel.CreateConsumer(shared);
        using ByteConsumer other = channel.CreateConsumer();
        Write(producer, 0, 100);
        ShmRecord held = stuck.Read(_soon);
        for (long i = 1; i < 2000; i++)
        {
            // The honest member takes what comes; the stuck one's record pins the lane until the group is evicted.
            if (i >= 100)
            {
                producer.Write(Message(i), _soon);
            }

            while (other.TryRead(out _))
            {
            }

            try
            {
                honest.TryRead(out _);
            }
            catch (ShmEvictedException)
            {
                break;
            }
        }

        Assert.Equal(0, Number(held)); // a copy
        Assert.Throws<ShmEvictedException>(() => stuck.TryRead(out _));
        Assert.Throws<ShmEvictedException>(() => stuck.WaitToRead(_soon));
        Assert.Throws<ShmEvictedException>(stuck.Release);
        Assert.Throws<ShmEvictedException>(() => honest.Read(_soon));
        stuck.Dispose();
        honest.Dispose();
        Assert.Equal(1, channel.ConsumerCount);
        using ByteConsumer again = channel.CreateConsumer(shared);
        Assert.True(again.Count > 0);
        again.Read(_soon);
    }

    [Fact]
    public void A_shared_group_whose_members_move_is_left_alone()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait, TimeSpan.FromSeconds(10));
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions shared = new() { Group = "workers", Kind = GroupKind.Shared };
        using ByteConsumer first = channel.CreateConsumer(shared);
        using ByteConsumer second = channel.CreateConsumer(shared);
        long read = 0;
        Concurrently.Run(3, TimeSpan.FromSeconds(60), number =>
        {
            if (number == 0)
            {
                Write(producer, 0, 3000);
                producer.TryComplete();
                return;
            }

            ByteConsumer member = number == 1 ? first : second;
            while (member.WaitToRead(_soon))
            {
                while (member.TryRead(out ShmRecord record))
                {
                    Assert.Equal(record.Sequence, Number(record));
                    Interlocked.Increment(ref read);
                }
            }
        });
        Assert.Equal(3000, read);
    }

    [Fact]
    public void A_durable_group_is_never_evicted()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait, TimeSpan.FromMilliseconds(20));
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer durable = channel.CreateConsumer(new ConsumerOptions { Group = "audit", Durable = true });
        while (producer.TryWrite(new byte[100]))
        {
        }

        Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(500)));
        Assert.True(durable.TryRead(out _));
    }

    [Fact]
    public void An_evicted_group_takes_its_stand_by_with_it_and_its_name_is_free_again()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait, _limit);
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions named = new() { Group = "log" };
        ByteConsumer active = channel.CreateConsumer(named);
        ByteConsumer standBy = channel.CreateConsumer(named);
        while (producer.TryWrite(new byte[100]))
        {
        }

        producer.Write(new byte[100], _soon);
        Assert.Throws<ShmEvictedException>(() => active.TryRead(out _));
        Assert.Throws<ShmEvictedException>(() => standBy.WaitToRead(_soon));
        active.Dispose();
        standBy.Dispose();
        using ByteConsumer next = channel.CreateConsumer(named);
        Assert.True(next.TryRead(out _));
    }

    public void Dispose() => _root.Dispose();

    private static void Write(ByteProducer producer, long from, long to)
    {
        for (long i = from; i < to; i++)
        {
            producer.Write(Message(i), _soon);
        }
    }

    private static byte[] Message(long number) => BitConverter.GetBytes((UInt128)number);

    private static long Number(ShmRecord record) => BitConverter.ToInt64(record.Payload);

    private ShmByteChannel Open(ShmFullMode mode, TimeSpan? evictAfter = null)
    {
        ShmChannelOptions options = Options(mode);
        options.EvictAfter = evictAfter;
        return ShmByteChannel.Create("bytes", options);
    }

    private ShmChannelOptions Options(ShmFullMode mode) => new()
    {
        Root = _root.Path,
        LaneCapacityBytes = 4096,
        FullMode = mode,
    };
}
