using System.Buffers.Binary;
using System.Threading.Channels;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

/// <summary>Groups with a name: who gets which message, what comes back after a death, and what stays.</summary>
public sealed class NamedGroupTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private static readonly ConsumerOptions _exclusive = new() { Group = "jobs" };
    private static readonly ConsumerOptions _shared = new() { Group = "jobs", Kind = GroupKind.Shared };
    private readonly ScratchRoot _root = new();

    [Fact]
    public void Members_of_a_shared_group_get_each_message_once_between_them()
    {
        using ShmByteChannel channel = Open();
        using ByteConsumer one = channel.CreateConsumer(_shared);
        using ByteConsumer two = channel.CreateConsumer(_shared);
        using ByteConsumer everything = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        WriteNumbers(producer, 0, 100);
        List<long> taken = [];
        for (int i = 0; i < 50; i++)
        {
            taken.Add(ReadNumber(one));
            taken.Add(ReadNumber(two));
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i), taken);
        Assert.False(one.TryRead(out _));
        Assert.False(two.TryRead(out _));
        Assert.Equal(100, everything.Count);
        Assert.Equal("jobs", one.Group);
        Assert.Null(everything.Group);
    }

    [Theory]
    [InlineData(GroupKind.Shared)]
    [InlineData(GroupKind.Exclusive)]
    public void What_a_member_that_left_did_not_acknowledge_is_delivered_again_and_says_so(GroupKind kind)
    {
        ConsumerOptions manual = new() { Group = "jobs", Kind = kind, Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 3 };
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        ByteConsumer leaving = channel.CreateConsumer(manual);
        using ByteConsumer staying = channel.CreateConsumer(manual);
        WriteNumbers(producer, 0, 4);
        ReadNumber(leaving);
        ShmRecord second = leaving.Read(_soon);
        leaving.Acknowledge(second);
        leaving.Acknowledge(second); // does nothing the second time
        leaving.Read(_soon); // 2 is in flight, as 0 is
        leaving.Dispose();

        Dictionary<long, int> deliveries = [];
        for (int i = 0; i < (kind == GroupKind.Shared ? 3 : 4); i++)
        {
            ShmRecord record = staying.Read(_soon);
            deliveries.Add(BinaryPrimitives.ReadInt64LittleEndian(record.Payload), record.DeliveryCount);
            staying.Acknowledge(record);
        }

        Assert.False(staying.TryRead(out _));
        Assert.Equal(2, deliveries[0]);
        Assert.Equal(2, deliveries[2]);
        Assert.Equal(1, deliveries[3]);
        Assert.Equal(kind == GroupKind.Exclusive, deliveries.ContainsKey(1)); // one cursor cannot say that only the middle is done
    }

    [Theory]
    [InlineData(GroupKind.Shared)]
    [InlineData(GroupKind.Exclusive)]
    public void Delivery_counts_go_on_from_death_to_death(GroupKind kind)
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer keeps = channel.CreateConsumer(new() { Group = "jobs", Kind = kind, Durable = true, Acknowledge = AcknowledgeMode.Manual });
        WriteNumbers(producer, 7, 1);
        keeps.Dispose();
        for (int i = 1; i <= 5; i++)
        {
            using ByteConsumer member = channel.CreateConsumer(
                new() { Group = "jobs", Kind = kind, Durable = true, Acknowledge = AcknowledgeMode.Manual });
            ShmRecord record = member.Read(_soon);
            Assert.Equal(7, BinaryPrimitives.ReadInt64LittleEndian(record.Payload));
            Assert.Equal(i, record.DeliveryCount);
        }
    }

    [Fact]
    public void Leaving_acknowledges_automatically()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer other = channel.CreateConsumer(_shared);
        WriteNumbers(producer, 0, 2);
        using (ByteConsumer leaving = channel.CreateConsumer(_shared))
        {
            Assert.Equal(0, ReadNumber(leaving));
        }

        ShmRecord record = other.Read(_soon);
        Assert.Equal(1, record.DeliveryCount);
        Assert.Equal(1, BinaryPrimitives.ReadInt64LittleEndian(record.Payload));
        Assert.Throws<TimeoutException>(() => ReadNumber(other, TimeSpan.FromMilliseconds(120)));
    }

    [Fact]
    public void A_stand_by_continues_where_the_active_member_left()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        ByteConsumer active = channel.CreateConsumer(_exclusive);
        using ByteConsumer standBy = channel.CreateConsumer(_exclusive);
        Assert.True(active.IsActive);
        Assert.False(standBy.IsActive);
        WriteNumbers(producer, 0, 10);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(i, ReadNumber(active));
        }

        Assert.False(standBy.TryRead(out _));
        Assert.False(standBy.WaitToRead(TimeSpan.FromMilliseconds(120)));
        active.Dispose();
        for (int i = 5; i < 10; i++)
        {
            ShmRecord record = standBy.Read(_soon);
            Assert.Equal((i, 1), (BinaryPrimitives.ReadInt64LittleEndian(record.Payload), record.DeliveryCount));
            Assert.Equal(i, record.Sequence);
        }

        Assert.True(standBy.IsActive);
    }

    [Theory]
    [InlineData(GroupKind.Shared)]
    [InlineData(GroupKind.Exclusive)]
    public void A_durable_group_keeps_its_messages_and_an_ephemeral_one_is_gone(GroupKind kind)
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions durable = new() { Group = "kept", Kind = kind, Durable = true };
        ConsumerOptions ephemeral = new() { Group = "gone", Kind = kind };
        channel.CreateConsumer(durable).Dispose();
        channel.CreateConsumer(ephemeral).Dispose();
        long written = 0;
        while (producer.TryWrite(Number(written)))
        {
            written++;
        }

        Assert.Throws<TimeoutException>(() => producer.Write(Number(written), TimeSpan.FromMilliseconds(50)));
        using (ByteConsumer again = channel.CreateConsumer(durable))
        {
            for (long i = 0; i < written; i++)
            {
                Assert.Equal(i, ReadNumber(again));
            }
        }

        producer.Write(Number(written), _soon);
        using (ByteConsumer again = channel.CreateConsumer(durable))
        {
            Assert.Equal(written, ReadNumber(again));
        }

        Assert.True(channel.DeleteGroup("kept"));
        Assert.False(channel.DeleteGroup("kept"));
        WriteNumbers(producer, 0, 2 * (int)written); // nobody is waited for
    }

    [Fact]
    public void A_group_starts_where_it_was_asked_to()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        WriteNumbers(producer, 0, 5);
        using ByteConsumer latest = channel.CreateConsumer(new() { Start = StartPosition.Latest });
        using ByteConsumer earliest = channel.CreateConsumer(new() { Start = StartPosition.Earliest });
        using ByteConsumer shared = channel.CreateConsumer(_shared with { Start = StartPosition.Latest });
        using ByteConsumer named = channel.CreateConsumer(new() { Group = "tail", Start = StartPosition.Latest });
        Assert.Equal(0, latest.Count + shared.Count + named.Count);
        Assert.Equal(5, earliest.Count);
        WriteNumbers(producer, 5, 1);
        using ByteProducer second = channel.CreateProducer(); // a lane that nobody had taken
        WriteNumbers(second, 6, 1);
        foreach (ByteConsumer consumer in new[] { latest, shared, named })
        {
            Assert.Equal([5, 6], new[] { ReadNumber(consumer), ReadNumber(consumer) }.Order());
        }

        Assert.Equal(7, earliest.Count);
    }

    [Fact]
    public void What_is_asked_of_a_group_must_fit()
    {
        using ShmByteChannel channel = Open();
        using ByteConsumer member = channel.CreateConsumer(_shared);
        ShmGroupException refused = Assert.Throws<ShmGroupException>(() => channel.CreateConsumer(_exclusive));
        Assert.Contains("jobs", refused.Message, StringComparison.Ordinal);
        Assert.Contains("ephemeral and shared", refused.Message, StringComparison.Ordinal);
        Assert.Contains("ephemeral and exclusive was asked for", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ShmGroupException>(() => channel.CreateConsumer(_shared with { Durable = true }));
        refused = Assert.Throws<ShmGroupException>(() => channel.DeleteGroup("jobs"));
        Assert.Contains(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, channel.ConsumerCount);
        Assert.Throws<ArgumentException>(() => channel.CreateConsumer(new() { Group = "" }));
        Assert.Throws<ArgumentException>(() => channel.CreateConsumer(new() { Group = new string('x', 128) }));
        Assert.Throws<ArgumentException>(() => channel.CreateConsumer(new() { Durable = true }));
        Assert.Throws<ArgumentException>(() => channel.CreateConsumer(new() { Kind = GroupKind.Shared }));
        Assert.Throws<ArgumentException>(() => channel.CreateConsumer(_shared with { MaxInFlight = 2 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => channel.CreateConsumer(_shared with { MaxInFlight = 9, Acknowledge = AcknowledgeMode.Manual }));
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.CreateConsumer(_shared with { Kind = 0 }));
        using ByteConsumer still = channel.CreateConsumer(_shared); // nothing was left behind by those that failed
        Assert.Equal(2, channel.ConsumerCount);
    }

    [Fact]
    public void A_reader_that_acknowledges_nothing_is_told_so()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        WriteNumbers(producer, 0, 3);
        foreach (GroupKind kind in Enum.GetValues<GroupKind>())
        {
            using ByteConsumer consumer = channel.CreateConsumer(
                new() { Group = $"{kind}", Kind = kind, Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 2 });
            consumer.TryRead(out _);
            consumer.TryRead(out _);
            InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => consumer.TryRead(out _));
            Assert.Contains("MaxInFlight is 2", refused.Message, StringComparison.Ordinal);
            consumer.Release();
            Assert.Equal(2, ReadNumber(consumer));
        }
    }

    [Fact]
    public void What_is_in_flight_keeps_its_room_until_it_is_acknowledged()
    {
        foreach (GroupKind kind in Enum.GetValues<GroupKind>())
        {
            using ShmByteChannel channel = ShmByteChannel.Create($"pinned-{kind}", Options);
            using ByteProducer producer = channel.CreateProducer();
            using ByteConsumer consumer = channel.CreateConsumer(
                new() { Group = "slow", Kind = kind, Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 4 });
            WriteNumbers(producer, 0, 1);
            ShmRecord slow = consumer.Read(_soon);
            long written = 1;
            while (producer.TryWrite(Number(written)))
            {
                written++;
            }

            for (long i = 1; i < written; i++)
            {
                ShmRecord next = consumer.Read(_soon);
                Assert.Equal(i, BinaryPrimitives.ReadInt64LittleEndian(next.Payload));
                consumer.Acknowledge(next);
            }

            Assert.Throws<TimeoutException>(() => producer.Write(Number(written), TimeSpan.FromMilliseconds(50)));
            Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(slow.Payload));
            consumer.Acknowledge(slow);
            producer.Write(Number(written), _soon);
            Assert.Equal(written, ReadNumber(consumer));
        }
    }

    [Fact]
    public void Completion_waits_for_what_other_members_hold()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions manual = _shared with { Acknowledge = AcknowledgeMode.Manual };
        using ByteConsumer holding = channel.CreateConsumer(manual);
        using ByteConsumer waiting = channel.CreateConsumer(manual);
        WriteNumbers(producer, 0, 1);
        Assert.Equal(0, ReadNumber(holding));
        producer.TryComplete();
        Assert.False(waiting.WaitToRead(TimeSpan.FromMilliseconds(120)));
        Assert.False(waiting.Completion.IsCompleted);
        holding.Release();
        Assert.Throws<ChannelClosedException>(() => ReadNumber(waiting));
        Assert.Throws<ChannelClosedException>(() => ReadNumber(holding));
    }

    [Fact]
    public void A_stand_by_ends_when_the_active_member_has_read_everything()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer active = channel.CreateConsumer(_exclusive);
        using ByteConsumer standBy = channel.CreateConsumer(_exclusive);
        WriteNumbers(producer, 0, 1);
        producer.TryComplete();
        Assert.Equal(0, ReadNumber(active));
        Assert.False(standBy.WaitToRead(TimeSpan.FromMilliseconds(120)));
        Assert.False(standBy.Completion.IsCompleted);
        Assert.False(active.WaitToRead(_soon)); // acknowledges
        Assert.Throws<ChannelClosedException>(() => ReadNumber(standBy));
        Assert.True(active.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Typed_consumers_receive_and_acknowledge()
    {
        using ShmChannel<string> channel = ShmChannel.Create<string>("typed", Options);
        using Producer<string> producer = channel.CreateProducer();
        ConsumerOptions manual = _shared with { Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 2 };
        Consumer<string> first = channel.CreateConsumer(manual);
        using Consumer<string> second = channel.CreateConsumer(manual);
        await producer.WriteAsync("a", TestContext.Current.CancellationToken);
        await producer.WriteAsync("b", TestContext.Current.CancellationToken);
        Assert.True(first.TryReceive(out Delivery<string> a));
        Delivery<string> b = first.Receive(_soon);
        Assert.Equal(("a", 1, 0L, "b", 1L), (a.Message, a.DeliveryCount, a.Sequence, b.Message, b.Sequence));
        a.Acknowledge();
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(b.Acknowledge);
        producer.TryComplete();
        List<(string, int)> received = [];
        await foreach (Delivery<string> delivery in second.ReceiveAllAsync(TestContext.Current.CancellationToken))
        {
            received.Add((delivery.Message, delivery.DeliveryCount));
            delivery.Acknowledge();
        }

        Assert.Equal([("b", 2)], received);
    }

    [Fact]
    public void Many_that_join_and_leave_one_name_at_once_share_one_group()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        Concurrently.Run(4, TimeSpan.FromSeconds(60), _ =>
        {
            for (int i = 0; i < 200; i++)
            {
                using ByteConsumer member = channel.CreateConsumer(_shared);
                Assert.False(member.WaitToRead(TimeSpan.Zero));
            }
        });
        Assert.Equal(0, channel.ConsumerCount);
        WriteNumbers(producer, 0, 10_000); // nobody is in the way
    }

    [Fact]
    public void Groups_are_listed_with_members_and_lag()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer first = channel.CreateProducer();
        using ByteProducer second = channel.CreateProducer();
        channel.CreateConsumer(new() { Group = "kept", Durable = true }).Dispose();
        using ByteConsumer active = channel.CreateConsumer(_exclusive);
        using ByteConsumer standBy = channel.CreateConsumer(_exclusive);
        using ByteConsumer shared = channel.CreateConsumer(new() { Group = "pool", Kind = GroupKind.Shared });
        using ByteConsumer own = channel.CreateConsumer();
        WriteNumbers(first, 0, 3);
        WriteNumbers(second, 0, 2);
        ReadNumber(shared);
        ReadNumber(active);
        active.Release();
        Dictionary<string, ShmGroup> groups = channel.Groups.ToDictionary(group => group.Name ?? "");
        Assert.Equal(["", "jobs", "kept", "pool"], groups.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((GroupKind.Exclusive, true, 5L), (groups["kept"].Kind, groups["kept"].IsDurable, groups["kept"].Lag));
        Assert.Empty(groups["kept"].Members);
        Assert.Equal([new ShmGroupLag(0, 3), new ShmGroupLag(1, 2)], groups["kept"].Lags);
        Assert.Equal(4, groups["jobs"].Lag);
        Assert.Equal([true, false], groups["jobs"].Members.Select(member => member.IsActive));
        Assert.All(groups["jobs"].Members, member => Assert.Equal(Environment.ProcessId, member.ProcessId));
        Assert.Equal((GroupKind.Shared, false, 4L, 1), (groups["pool"].Kind, groups["pool"].IsDurable, groups["pool"].Lag, groups["pool"].InFlight));
        Assert.Equal(5, groups[""].Lag);
    }

    [Fact]
    public void Required_groups_lose_nothing_before_their_first_member_comes()
    {
        ShmChannelOptions options = Options with
        {
            RequiredGroups = [new RequiredGroup { Name = "audit" }, new RequiredGroup { Name = "pool", Kind = GroupKind.Shared }],
        };
        using ShmByteChannel channel = ShmByteChannel.Create("required", options);
        using ByteProducer producer = channel.CreateProducer();
        long written = 0;
        while (producer.TryWrite(Number(written)))
        {
            written++;
        }

        using ShmByteChannel same = ShmByteChannel.Open("required", options);
        using ByteConsumer audit = same.CreateConsumer(new() { Group = "audit", Durable = true });
        using ByteConsumer pool = same.CreateConsumer(new() { Group = "pool", Kind = GroupKind.Shared, Durable = true });
        for (long i = 0; i < written; i++)
        {
            Assert.Equal((i, i), (ReadNumber(audit), ReadNumber(pool)));
        }

        ShmRegionFormatException refused = Assert.Throws<ShmRegionFormatException>(() => ShmByteChannel.Open(
            "required", Options with { RequiredGroups = [new RequiredGroup { Name = "other" }] }));
        Assert.Contains("other", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ShmByteChannel.Create(
            "twice", Options with { RequiredGroups = [new RequiredGroup { Name = "a" }, new RequiredGroup { Name = "a" }] }));
        Assert.Throws<ArgumentException>(() => ShmByteChannel.Create("twice", options with { FullMode = ShmFullMode.DropOldest }));
        Assert.False(ShmChannel.Exists("twice", _root.Path));
    }

    public void Dispose() => _root.Dispose();

    private ShmChannelOptions Options => new() { Root = _root.Path, LaneCapacityBytes = 4096, MaxProducers = 4 };

    private ShmByteChannel Open() => ShmByteChannel.CreateOrOpen("named", Options);

    private static byte[] Number(long number)
    {
        byte[] bytes = new byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return bytes;
    }

    private static void WriteNumbers(ByteProducer producer, long first, int count)
    {
        for (int i = 0; i < count; i++)
        {
            producer.Write(Number(first + i), _soon);
        }
    }

    private static long ReadNumber(ByteConsumer consumer, TimeSpan? timeout = null) =>
        BinaryPrimitives.ReadInt64LittleEndian(consumer.Read(timeout ?? _soon).Payload);
}
