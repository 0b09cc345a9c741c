using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

/// <summary>What the model test has found, each as the few steps that show it.</summary>
public sealed class ModelFindingsTests : IDisposable
{
    private readonly ScratchRoot _root = new();

    /// <summary>The lane's committed position is stored every 64 messages, so it may lie below the floor, where nothing stands any
    /// more.</summary>
    [Theory]
    [InlineData(GroupKind.Shared)]
    [InlineData(GroupKind.Exclusive)]
    public void A_group_continues_at_the_end_of_a_lane_that_was_lapped_within_64_messages(GroupKind kind)
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait);
        using ByteProducer producer = channel.CreateProducer();
        for (int i = 0; i < 10; i++)
        {
            producer.Write(new byte[1000], TimeSpan.Zero); // nobody reads: the oldest make room
        }

        ConsumerOptions latest = new() { Group = "late", Kind = kind, Durable = true, Start = StartPosition.Latest };
        channel.CreateConsumer(latest).Dispose();
        using ByteConsumer consumer = channel.CreateConsumer(latest);
        Assert.Equal((0, 0), (consumer.Count, channel.Groups.Single().Lag));
        producer.Write([7], TimeSpan.Zero);
        Assert.True(consumer.TryRead(out ShmRecord record));
        Assert.Equal((10, 1), (record.Sequence, record.Payload.Length));
    }

    /// <summary>The second member read less than the first before it left, too.</summary>
    [Fact]
    public void A_message_that_a_member_left_says_so_to_the_third_member_as_well()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait);
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions manual = new() { Group = "jobs", Durable = true, Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 3 };
        for (int read = 3; read > 0; read -= 2)
        {
            using ByteConsumer leaving = channel.CreateConsumer(manual);
            for (int i = 0; i < read; i++)
            {
                producer.Write([7], TimeSpan.Zero);
                Assert.True(leaving.TryRead(out _));
            }
        }

        using ByteConsumer third = channel.CreateConsumer(manual);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(third.TryRead(out ShmRecord record));
            Assert.Equal(i, record.Sequence);
            Assert.InRange(record.DeliveryCount, 2, 3);
        }
    }

    /// <summary>The lane was first used, and lapped, after the takeover, and before the consumer looked at it.</summary>
    [Fact]
    public void One_that_took_over_counts_what_it_loses_in_a_lane_that_is_new_since()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        ConsumerOptions named = new() { Group = "jobs", Durable = true };
        channel.CreateConsumer(named).Dispose();
        using ByteConsumer consumer = channel.CreateConsumer(named);
        Assert.Equal(0, consumer.Count);
        Assert.True(consumer.IsActive);
        using ByteProducer producer = channel.CreateProducer();
        for (int i = 0; i < 10; i++)
        {
            producer.Write(new byte[1000], TimeSpan.Zero);
        }

        Assert.Equal(10, consumer.Count + consumer.LostMessages);
    }

    public void Dispose() => _root.Dispose();

    private ShmByteChannel Open(ShmFullMode mode) => ShmByteChannel.Create(
        "found", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096, FullMode = mode });
}
