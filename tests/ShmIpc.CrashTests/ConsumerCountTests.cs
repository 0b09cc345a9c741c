// Who waits for ConsumerCount before the first message loses none: a consumer counts only once it holds the producers back (or, where
// nothing does, once it stands where it begins). A consumer is stopped before each of its steps, and the producer does then what it may.

using System.Buffers.Binary;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Regions;

namespace ShmIpc.CrashTests;

public sealed class ConsumerCountTests : IDisposable
{
    private const string Name = "count";
    private const int PayloadBytes = 100;
    private const int BeforeMessages = 5;
    private const int MessagesPerStep = 100; // more than two laps
    private readonly ScratchRoot _root = new(ScratchRoot.Memory);

    public static TheoryData<string, StartPosition, ShmFullMode, bool> Newcomers
    {
        get
        {
            TheoryData<string, StartPosition, ShmFullMode, bool> newcomers = [];
            foreach (string kind in (string[])["alone", "exclusive", "shared", "durable"])
            {
                foreach (StartPosition start in Enum.GetValues<StartPosition>())
                {
                    newcomers.Add(kind, start, ShmFullMode.Wait, false);
                    newcomers.Add(kind, start, ShmFullMode.Wait, true);
                    if (kind != "shared")
                    {
                        newcomers.Add(kind, start, ShmFullMode.DropOldest, false);
                    }
                }
            }

            return newcomers;
        }
    }

    [Theory]
    [MemberData(nameof(Newcomers))]
    public void Who_publishes_once_a_consumer_counts_loses_nothing(
        string kind, StartPosition start, ShmFullMode fullMode, bool isAfterADeath)
    {
        WaitAndPublish(kind, start, fullMode, isAfterADeath, channel => channel.ConsumerCount > 0);
    }

    [Theory]
    [MemberData(nameof(Newcomers))]
    public void Who_publishes_once_a_member_is_listed_loses_nothing(
        string kind, StartPosition start, ShmFullMode fullMode, bool isAfterADeath)
    {
        WaitAndPublish(kind, start, fullMode, isAfterADeath, channel => channel.Groups.Any(group => group.Members.Count > 0));
    }

    [Theory]
    [InlineData("producer")]
    [InlineData("observer")]
    [InlineData("deleter")]
    public void Who_takes_a_dead_consumers_slot_is_no_consumer(string role)
    {
        ShmChannelOptions options = Options(ShmFullMode.Wait);
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        LeaveADeadConsumer(options);
        int most = 0;
        List<IDisposable> newcomers = [];
        int steps = CrashPoint.LookAtEveryStep(Join, () => most = Math.Max(most, channel.ConsumerCount));
        Assert.True(steps > 3, $"{steps} steps only");
        Assert.Equal((0, 0), (most, channel.ConsumerCount));
        newcomers.ForEach(newcomer => newcomer.Dispose());

        void Join()
        {
            switch (role)
            {
                case "producer": newcomers.Add(channel.CreateProducer()); break;
                case "observer": newcomers.Add(channel.CreateObserver(StartPosition.Latest)); break;
                default: channel.DeleteGroup("nobody's"); break;
            }
        }
    }

    [Fact]
    public void Who_takes_a_dead_producers_slot_is_no_producer()
    {
        ShmChannelOptions options = Options(ShmFullMode.Wait);
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        ChannelRegion dead = ChannelRegion.Attach(Name, "bytes", 0, options, ChannelOpenMode.Open);
        dead.Participants.Leave(dead.Participants.Join(ParticipantRole.Producer));
        int most = 0;
        ByteConsumer? consumer = null;
        CrashPoint.LookAtEveryStep(() => consumer = channel.CreateConsumer(), () => most = Math.Max(most, channel.ProducerCount));
        Assert.Equal((0, 0), (most, channel.ProducerCount));
        consumer!.Dispose();
        dead.ReleaseReference();
    }

    public void Dispose() => _root.Dispose();

    private void WaitAndPublish(
        string kind, StartPosition start, ShmFullMode fullMode, bool isAfterADeath, Func<ShmByteChannel, bool> isThere)
    {
        ShmChannelOptions options = Options(fullMode);
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        using ShmByteChannel consumers = ShmByteChannel.Open(Name, options);
        using ByteProducer producer = channel.CreateProducer();
        long written = 0;
        while (written < BeforeMessages)
        {
            Assert.True(TryWrite(producer, ref written));
        }

        if (isAfterADeath)
        {
            LeaveADeadConsumer(options);
        }

        long first = -1;
        ByteConsumer? joined = null;
        int steps = CrashPoint.LookAtEveryStep(() => joined = consumers.CreateConsumer(Newcomer(kind, start)), Publish);
        using ByteConsumer consumer = joined!;
        Assert.True(steps > 10, $"{steps} steps only");
        Publish(); // by now it counts
        Assert.Equal(1, channel.ConsumerCount);
        Assert.True(first >= BeforeMessages);

        long next = start == StartPosition.Latest ? first : 0;
        for (; consumer.TryRead(out ShmRecord record); next++)
        {
            Assert.Equal(next, BinaryPrimitives.ReadInt64LittleEndian(record.Payload));
            consumer.Acknowledge(record);
        }

        Assert.Equal((written, 0), (next, consumer.LostMessages));

        void Publish()
        {
            if (first < 0 && !isThere(channel))
            {
                return;
            }

            bool isFirst = first < 0;
            first = isFirst ? written : first;
            int atMost = fullMode == ShmFullMode.DropOldest ? (isFirst ? 1 : 0) : MessagesPerStep; // what it loses later, it knows
            for (int i = 0; i < atMost && TryWrite(producer, ref written); i++)
            {
            }
        }
    }

    /// <summary>In the slot that the next participant takes; its group is there, and nobody has found it dead yet.</summary>
    private static void LeaveADeadConsumer(ShmChannelOptions options)
    {
        ChannelRegion dead = ChannelRegion.Attach(Name, "bytes", 0, options, ChannelOpenMode.Open);
        Stamp stamp = dead.Participants.Join(ParticipantRole.Consumer);
        dead.Groups.Join(stamp, new ConsumerOptions());
        dead.Participants.Leave(stamp); // what the kernel does when a process ends
        dead.ReleaseReference();
    }

    private static ConsumerOptions Newcomer(string kind, StartPosition start) => new()
    {
        Group = kind == "alone" ? null : "line",
        Kind = kind == "shared" ? GroupKind.Shared : GroupKind.Exclusive,
        Durable = kind == "durable",
        Start = start,
    };

    private static bool TryWrite(ByteProducer producer, ref long number)
    {
        byte[] payload = new byte[PayloadBytes];
        BinaryPrimitives.WriteInt64LittleEndian(payload, number);
        bool isWritten = producer.TryWrite(payload);
        number += isWritten ? 1 : 0;
        return isWritten;
    }

    private ShmChannelOptions Options(ShmFullMode fullMode) => new()
    {
        Root = _root.Path,
        LaneCapacityBytes = 4096,
        MaxProducers = 2,
        MaxGroups = 4,
        MaxParticipants = 8,
        FullMode = fullMode,
    };
}
