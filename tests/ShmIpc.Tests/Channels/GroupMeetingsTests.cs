// Where groups meet evictions, deaths of those who retire them, completion, and the other options of a channel.

using ShmIpc.Channels;
using ShmIpc.Regions;
using ShmIpc.Tests.Regions;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class GroupMeetingsTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private static readonly ConsumerOptions _manual = new()
    {
        Group = "jobs",
        Kind = GroupKind.Shared,
        Acknowledge = AcknowledgeMode.Manual,
        MaxInFlight = 4,
    };

    private readonly RegionScene _scene = new();

    [Fact]
    public void An_heir_whose_group_was_evicted_touches_no_intent_of_the_slots_next_holder()
    {
        using ShmByteChannel channel = ShmByteChannel.Create(
            RegionScene.Name, RegionScene.Options(_scene.Root, 1, 4, 16) with { EvictAfter = TimeSpan.FromMilliseconds(100) });
        using ByteProducer producer = channel.CreateProducer();
        ByteConsumer leaving = channel.CreateConsumer(_manual);
        ByteConsumer heir = channel.CreateConsumer(_manual);
        producer.Write("job"u8, _soon);
        leaving.Read(_soon);
        leaving.Dispose();
        Assert.Equal(2, heir.Read(_soon).DeliveryCount); // its intent stands in the slot of the one that left
        for (int i = 0; i < 100; i++)
        {
            producer.Write(new byte[100], _soon); // the first that has no room evicts the group
        }

        using ByteConsumer next = channel.CreateConsumer(_manual with { Group = "others" }); // has the slot of the one that left
        next.Read(_soon);
        Assert.Equal(1, Assert.Single(channel.Groups).InFlight);
        Assert.Throws<ShmEvictedException>(heir.Release);
        heir.Dispose();
        Assert.Equal(1, Assert.Single(channel.Groups).InFlight);
    }

    [Fact]
    public void A_death_while_retiring_leaves_nobody_behind_who_had_just_joined()
    {
        using ShmByteChannel channel = ShmByteChannel.Create(RegionScene.Name, RegionScene.Options(_scene.Root, 1, 2, 16));
        using ByteProducer producer = channel.CreateProducer();
        using Attachment dead = new(new ShmChannelOptions { Root = _scene.Root });
        ConsumerOptions exclusive = new() { Group = "jobs" };
        Stamp maker = dead.Participants.Join(ParticipantRole.Consumer);
        dead.Region.Groups.Join(maker, exclusive);
        dead.Participants.Leave(maker); // killed
        using SharedWords words = new(_scene.File);

        // Somebody finds no member, as is right; the newcomer joins; the retirer's CAS, and its death before it looks again.
        using ByteConsumer newcomer = channel.CreateConsumer(exclusive);
        Stamp retirer = dead.Participants.Join(ParticipantRole.Observer);
        words.GroupState(0) = 3 | (retirer.Value << 2);
        dead.Participants.Leave(retirer);

        producer.Write("job"u8, _soon);
        try
        {
            Assert.True(newcomer.WaitToRead(_soon), "The newcomer neither reads, nor learns that it never will.");
        }
        catch (ShmEvictedException)
        {
            // would do, too
        }
    }

    [Fact]
    public void A_member_does_not_wait_for_what_it_holds_itself()
    {
        using ShmByteChannel channel = ShmByteChannel.Create(RegionScene.Name, RegionScene.Options(_scene.Root, 1, 2, 16));
        using ByteProducer producer = channel.CreateProducer();
        ByteConsumer leaving = channel.CreateConsumer(_manual);
        using ByteConsumer last = channel.CreateConsumer(_manual);
        producer.Write("job"u8, _soon);
        leaving.Read(_soon);
        leaving.Dispose();
        Assert.Equal(2, last.Read(_soon).DeliveryCount);
        producer.TryComplete();
        Assert.False(last.WaitToRead(_soon));
        Assert.True(last.Completion.IsCompleted, "It waits for its own message to come back.");
    }

    [Fact]
    public void What_the_dead_left_does_not_wait_behind_64_long_jobs()
    {
        using ShmByteChannel channel = ShmByteChannel.Create(RegionScene.Name, RegionScene.Options(_scene.Root, 1, 2, 16));
        using ByteProducer producer = channel.CreateProducer();
        ConsumerOptions automatic = new() { Group = "jobs", Kind = GroupKind.Shared };
        ByteConsumer leaving = channel.CreateConsumer(_manual);
        using ByteConsumer staying = channel.CreateConsumer(automatic);
        for (int i = 0; i < 60; i++)
        {
            producer.Write("job"u8, _soon);
        }

        leaving.Read(_soon);
        staying.Read(_soon);
        leaving.Dispose();
        for (int i = 0; ; i++)
        {
            Assert.True(i < 10, "Ten long jobs later the message has not come back.");
            Thread.Sleep(20); // a long job, and longer than the interval of the looks
            if (staying.Read(_soon).Sequence == 0)
            {
                break;
            }
        }
    }

    [Fact]
    public void A_message_of_a_lane_that_the_heir_has_not_mapped_yet_is_not_given_up()
    {
        using ShmByteChannel channel = ShmByteChannel.Create(RegionScene.Name, RegionScene.Options(_scene.Root, 1, 2, 16));
        using ByteProducer producer = channel.CreateProducer();
        using Attachment here = new(new ShmChannelOptions { Root = _scene.Root });
        ByteConsumer dead = channel.CreateConsumer(_manual);
        using ByteConsumer other = channel.CreateConsumer(_manual); // for whom the dead one's messages are left
        producer.Write("job"u8, _soon);
        dead.Read(_soon);
        dead.Dispose();
        Stamp heir = here.Participants.Join(ParticipantRole.Consumer);
        try
        {
            // It looked for new lanes; then somebody took the lane, a message was written, taken, and its taker killed.
            ClaimRecovery recovery = new(here.Region, 0, heir);
            Assert.True(recovery.TryFind((_, _) => false, out int slot, out int number));
            recovery.TryTake(slot, number, new ShmIpc.Rings.SharedLaneReader?[1], out _, out _);
            Assert.NotEqual(0UL, here.Region.Claims.Intent(slot, number));
        }
        finally
        {
            here.Participants.Leave(heir);
        }
    }

    [Fact]
    public void A_channel_that_drops_the_oldest_refuses_a_shared_group_from_the_start()
    {
        ShmChannelOptions options = RegionScene.Options(_scene.Root, 1, 2, 16) with
        {
            FullMode = ShmFullMode.DropOldest,
            RequiredGroups = [new RequiredGroup { Name = "pool", Kind = GroupKind.Shared }],
        };
        Assert.ThrowsAny<Exception>(() => ShmByteChannel.Create(RegionScene.Name, options).Dispose()); // nobody could ever join it
    }

    [Fact]
    public void Acknowledging_allocates_nothing()
    {
        using ShmByteChannel channel = ShmByteChannel.Create(RegionScene.Name, RegionScene.Options(_scene.Root, 1, 4, 16));
        using ByteProducer producer = channel.CreateProducer();
        foreach (GroupKind kind in Enum.GetValues<GroupKind>())
        {
            using ByteConsumer consumer = channel.CreateConsumer(_manual with { Kind = kind, Group = $"{kind}" });
            Go(consumer, 100);
            Assert.Equal((kind, 0L), (kind, AllocatedBytes.Of(() => Go(consumer, 1000))));
        }

        void Go(ByteConsumer consumer, int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                producer.TryWrite("x"u8);
                if (consumer.TryRead(out ShmRecord record))
                {
                    consumer.Acknowledge(record);
                }
            }
        }
    }

    public void Dispose() => _scene.Dispose();
}
