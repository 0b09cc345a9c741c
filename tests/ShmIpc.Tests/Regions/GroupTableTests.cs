using System.Buffers.Binary;
using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Regions;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>Who gates a producer, who may not, and how the dead and the broken get out of its way.</summary>
public sealed class GroupTableTests : IDisposable
{
    private const ulong Joining = 1;
    private const ulong Active = 2;
    private const ulong Retiring = 3;
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly RegionScene _scene = new();

    [Fact]
    public void A_dead_consumer_is_retired_when_it_is_in_a_producers_way()
    {
        using Attachment dead = Attach();
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        (int group, Stamp stamp) = JoinAs(dead);
        using SharedWords words = new(_scene.File);
        Fill(producer);
        Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(50))); // alive, so waited for
        Assert.Equal(1UL << group, words.ActiveGroups);
        dead.Participants.Leave(stamp); // what the kernel does when a process ends
        Write(producer, 200);
        Assert.Equal(0UL, words.ActiveGroups);
        Assert.Equal(0UL, words.GroupState(group));
        Assert.Equal(0, channel.ConsumerCount);
    }

    [Fact]
    public void A_dead_consumers_group_is_there_for_the_next()
    {
        using Attachment dead = Attach(maxGroups: 2);
        using Attachment here = Attach();
        (int first, Stamp firstStamp) = JoinAs(dead);
        (int second, Stamp secondStamp) = JoinAs(dead);
        Assert.NotEqual(first, second);
        ShmLimitException refused = Assert.Throws<ShmLimitException>(() => JoinAs(here));
        Assert.Contains("All 2 groups", refused.Message, StringComparison.Ordinal);
        Assert.Contains("MaxGroups", refused.Message, StringComparison.Ordinal);
        dead.Participants.Leave(secondStamp);
        (int next, Stamp nextStamp) = JoinAs(here);
        Assert.Equal(second, next);
        Assert.True(here.Region.Groups.IsHeldBy(next, nextStamp));
        Assert.True(here.Region.Groups.IsHeldBy(first, firstStamp));
        Assert.False(here.Region.Groups.IsHeldBy(next, secondStamp));
        Assert.Equal(2, here.Region.Groups.CountLiving());
        dead.Region.Groups.Leave(Own(second), secondStamp); // comes too late, and ends nothing of the next holder's
        Assert.True(here.Region.Groups.IsHeldBy(next, nextStamp));
        here.Region.Groups.Leave(Own(next), nextStamp);
        Assert.Equal(1, here.Region.Groups.CountLiving());
    }

    [Theory]
    [InlineData(Joining, true)]
    [InlineData(Joining, false)]
    [InlineData(Active, false)]
    [InlineData(Retiring, true)]
    [InlineData(Retiring, false)]
    public void A_death_in_any_state_of_a_group_holds_nobody_back(ulong state, bool isGating)
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using Attachment dead = Attach();
        Stamp stamp = dead.Participants.Join(ParticipantRole.Consumer);
        using SharedWords words = new(_scene.File);
        words.GroupState(0) = state | (stamp.Value << 2);
        words.ActiveGroups = isGating ? 1UL : 0;
        Fill(producer);
        if (isGating)
        {
            Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(50)));
        }

        dead.Participants.Leave(stamp);
        Write(producer, 200);
        using ByteConsumer consumer = channel.CreateConsumer(); // there is one group only
        Assert.Equal(1UL, words.ActiveGroups);
        Assert.Equal(Active, words.GroupState(0) & 3);
    }

    [Fact]
    public void Bits_of_groups_that_there_are_not_hold_nobody_back()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        using SharedWords words = new(_scene.File);
        words.ActiveGroups = ulong.MaxValue;
        Fill(producer);
        Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(50)));
        Assert.Equal(1UL, words.ActiveGroups);
        long expected = 0;
        while (consumer.TryRead(out ShmRecord record))
        {
            Assert.Equal(expected++, record.Sequence);
        }

        Write(producer, 10);
    }

    public static TheoryData<string, bool> BrokenCursors
    {
        get
        {
            TheoryData<string, bool> cases = [];
            foreach (string cursor in (string[])
            [
                "beyond", "far beyond", "largest", "smallest", "minus one lap", "unaligned", "inside a record", "inside an old record",
                "below the floor", "zero", "a lap below",
            ])
            {
                cases.Add(cursor, false);
                cases.Add(cursor, true);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(BrokenCursors))]
    public void A_broken_cursor_is_evicted_and_the_others_lose_nothing(string where, bool isNextProducer)
    {
        using ShmByteChannel channel = Open(maxGroups: 2);
        ByteProducer producer = channel.CreateProducer();
        using ByteConsumer healthy = channel.CreateConsumer();
        using ByteConsumer broken = channel.CreateConsumer();
        using SharedWords words = new(_scene.File);
        long next = 0;
        for (int i = 0; i < 500; i++) // many laps
        {
            WriteNumbered(producer, i);
            Assert.True(broken.TryRead(out _));
            ReadNumbered(healthy, ref next);
        }

        broken.Release();
        healthy.Release();
        for (int i = 500; i < 510; i++)
        {
            WriteNumbered(producer, i);
        }

        long end = (long)words.Cursor(0, 0) + (10 * 112); // payload 100, header 8, padding 4
        words.Cursor(0, 1) = (ulong)(where switch
        {
            "beyond" => end + 48,
            "far beyond" => end + (1L << 40),
            "largest" => long.MaxValue - 7,
            "smallest" => long.MinValue,
            "minus one lap" => -4096,
            "unaligned" => end - 1004,
            "inside a record" => end - (3 * 112) + 40,
            "inside an old record" => end - (15 * 112) + 40,
            "below the floor" => words.Lane(0).Floor.Read().Position - 8,
            "zero" => 0,
            _ => end - Environment.SystemPageSize - 112,
        });
        if (isNextProducer)
        {
            producer.Dispose();
            producer = channel.CreateProducer();
        }

        for (int i = 510; i < 1000; i++)
        {
            WriteNumbered(producer, i);
            ReadNumbered(healthy, ref next);
        }

        healthy.Release();
        for (int i = 1000; producer.TryWrite(new byte[100]); i++)
        {
            Assert.InRange(i, 1000, 1100); // the healthy one holds it back in the end
        }

        Assert.Equal(1, channel.ConsumerCount);
        Assert.Equal(1UL, words.ActiveGroups);
        Assert.Contains("evicted", Assert.Throws<ShmEvictedException>(() => DrainAndWait(broken)).Message, StringComparison.Ordinal);
        producer.Dispose();

        static void DrainAndWait(ByteConsumer consumer)
        {
            for (int i = 0; i < 1000; i++)
            {
                try
                {
                    while (consumer.TryRead(out _))
                    {
                    }
                }
                catch (ShmCorruptionException)
                {
                    // its own records were overwritten, and it is told so
                }

                consumer.WaitToRead(TimeSpan.FromMilliseconds(1));
            }
        }
    }

    [Theory]
    [InlineData(Joining, 0)] // nothing holds a producer back for it yet
    [InlineData(Active, 1)]
    [InlineData(Retiring, 0)]
    public void A_consumer_counts_while_its_group_is_active(ulong state, int counted)
    {
        using ShmByteChannel channel = Open();
        using Attachment other = Attach();
        Stamp stamp = other.Participants.Join(ParticipantRole.Consumer);
        other.Region.Claims.Place(stamp.Slot) = 1;
        using SharedWords words = new(_scene.File);
        words.GroupState(0) = state | (stamp.Value << 2);
        Assert.Equal(counted, channel.ConsumerCount);
        other.Participants.Leave(stamp);
        Assert.Equal(0, channel.ConsumerCount);
    }

    [Fact]
    public void A_joiner_that_is_slow_delays_the_producer_and_is_not_evicted()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        Write(producer, 500);
        using Attachment slow = Attach();
        Stamp stamp = slow.Participants.Join(ParticipantRole.Consumer);
        using SharedWords words = new(_scene.File);
        words.GroupState(0) = Joining | (stamp.Value << 2);
        words.Cursor(0, 0) = 0; // a floor that it read long ago
        words.ActiveGroups = 1;
        Fill(producer);
        Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(100)));
        Assert.Equal(Joining | (stamp.Value << 2), words.GroupState(0));
        (long position, long sequence) = words.Lane(0).Floor.Read();
        words.Cursor(0, 0) = (ulong)position; // it moves up to the floor, and is done
        words.GroupState(0) = Active | (stamp.Value << 2);
        Assert.Throws<TimeoutException>(() => producer.Write(new byte[1500], TimeSpan.FromMilliseconds(100)));
        Assert.Equal(Active | (stamp.Value << 2), words.GroupState(0));
        Assert.InRange(sequence, 400, 700);
        slow.Participants.Leave(stamp);
        Write(producer, 100);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Joining_while_the_oldest_is_overwritten_finds_a_whole_record_and_no_gap(int producers)
    {
        const int joins = 2_000;
        TimeSpan atMost = TimeSpan.FromSeconds(40);
        int seed = Environment.TickCount;
        bool isOver = false;
        Stopwatch clock = Stopwatch.StartNew();
        using ShmByteChannel first = Open(maxProducers: producers, maxGroups: 2);
        first.CreateProducer().Dispose(); // so that the first lane is there
        int done = 0;
        Concurrently.Run(producers + 1, TimeSpan.FromSeconds(120), thread =>
        {
            using ShmByteChannel channel = Open();
            Random random = new(seed + thread);
            if (thread < producers)
            {
                Produce(channel, random);
                return;
            }

            try
            {
                for (; done < joins && (done <= 100 || clock.Elapsed < atMost); done++)
                {
                    JoinAndRead(channel, random.Next(40));
                }
            }
            finally
            {
                Volatile.Write(ref isOver, true);
            }
        });
        Assert.True(done > 100, $"{done} joins only, seed {seed}");

        void Produce(ShmByteChannel channel, Random random)
        {
            using ByteProducer producer = channel.CreateProducer();
            byte[] payload = new byte[600];
            for (long i = 0; !Volatile.Read(ref isOver);)
            {
                BinaryPrimitives.WriteInt64LittleEndian(payload, i);
                int bytes = random.Next(8, payload.Length);
                payload.AsSpan(8, bytes - 8).Fill((byte)i);
                if (producer.TryWrite(payload.AsSpan(0, bytes)))
                {
                    i++;
                }
            }
        }

        void JoinAndRead(ShmByteChannel channel, int count)
        {
            using ByteConsumer consumer = channel.CreateConsumer();
            long?[] next = new long?[producers];
            for (int i = 0; i <= count; i++)
            {
                ShmRecord record = consumer.Read(_soon);
                Assert.True(next[record.Lane] is not { } expected || record.Sequence == expected,
                    $"a gap at {record.Sequence}, seed {seed}");
                Assert.Equal(record.Sequence, BinaryPrimitives.ReadInt64LittleEndian(record.Payload));
                Assert.Equal(-1, record.Payload[8..].IndexOfAnyExcept((byte)record.Sequence));
                next[record.Lane] = record.Sequence + 1;
            }
        }
    }

    public void Dispose() => _scene.Dispose();

    private static (int Group, Stamp Stamp) JoinAs(Attachment attachment)
    {
        Stamp stamp = attachment.Participants.Join(ParticipantRole.Consumer);
        try
        {
            return (attachment.Region.Groups.Join(stamp, new ConsumerOptions()).Group, stamp);
        }
        catch
        {
            attachment.Participants.Leave(stamp);
            throw;
        }
    }

    private static GroupSeat Own(int group) => new(group, GroupKind.Exclusive, null, null);

    private static void Fill(ByteProducer producer)
    {
        for (int i = 0; i < 1000 && producer.TryWrite(new byte[100]); i++)
        {
        }
    }

    private static void Write(ByteProducer producer, int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            producer.Write(new byte[100], _soon);
        }
    }

    private static void WriteNumbered(ByteProducer producer, long number)
    {
        byte[] payload = new byte[100];
        payload.AsSpan().Fill((byte)(number | 1));
        BinaryPrimitives.WriteInt64LittleEndian(payload, number);
        producer.Write(payload, _soon);
    }

    private static void ReadNumbered(ByteConsumer consumer, ref long next)
    {
        Assert.True(consumer.TryRead(out ShmRecord record));
        Assert.Equal(next, record.Sequence);
        Assert.Equal(next, BinaryPrimitives.ReadInt64LittleEndian(record.Payload));
        next++;
    }

    private Attachment Attach(int maxGroups = 1) => new(Options(1, maxGroups, 16));

    private ShmByteChannel Open(int maxProducers = 1, int maxGroups = 1, int maxParticipants = 16) =>
        ShmByteChannel.CreateOrOpen(RegionScene.Name, Options(maxProducers, maxGroups, maxParticipants));

    /// <summary>Whoever comes first decides the geometry; the others take it as it is.</summary>
    private ShmChannelOptions Options(int maxProducers, int maxGroups, int maxParticipants) => File.Exists(_scene.File)
        ? new ShmChannelOptions { Root = _scene.Root }
        : RegionScene.Options(_scene.Root, maxProducers, maxGroups, maxParticipants);
}
