// Full channels between real processes: readers that are slow, stopped or dead, in each of the ways that a channel can deal with them.

using System.Buffers.Binary;
using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class FullTests(ITestOutputHelper output)
{
    private const int Lane = 64 * 1024;
    private const int First = 100;
    private const int Second = 101;

    /// <summary>Longer than a busy machine keeps a process that wants to run from running.</summary>
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(2);

    private readonly ITestOutputHelper _output = output;

    [Theory]
    [InlineData(ShmFullMode.DropOldest, "consumer")]
    [InlineData(ShmFullMode.DropOldest, "observer")]
    [InlineData(ShmFullMode.Wait, "observer")]
    public void What_slow_readers_read_and_lost_is_what_was_published(ShmFullMode mode, string kind)
    {
        using TestChannel test = new(Lane, fullMode: mode);
        long messages = Campaign.Rounds(300_000);
        ChildProcess slow = StartLossy(test, First, kind, pauses: 2000);
        ChildProcess quick = StartLossy(test, Second, kind, pauses: 0);
        ChildProcess writer = test.StartWriter(1, count: messages);
        writer.Send("go");
        writer.Expect("done");
        long lost = ExpectEverything(slow, messages);
        ExpectEverything(quick, messages);
        Assert.True(lost > 0, "the slow reader lost nothing, so nothing was shown");
    }

    [Theory]
    [InlineData(ShmFullMode.DropOldest, "consumer")]
    [InlineData(ShmFullMode.Wait, "observer")]
    public void A_stopped_reader_holds_nobody_back_and_knows_its_loss_when_it_continues(ShmFullMode mode, string kind)
    {
        using TestChannel test = new(Lane, fullMode: mode);
        ChildProcess stopped = StartLossy(test, First, kind);
        ChildProcess running = StartLossy(test, Second, kind);
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        Eventually.True(() => test.Progress[First] > 100, "messages flow");
        stopped.Stop();
        long messages = WriteOnAndEnd(test, writer);
        ExpectEverything(running, messages);
        stopped.Continue();
        ExpectEverything(stopped, messages);
    }

    [Theory]
    [InlineData(ShmFullMode.DropOldest, "consumer")]
    [InlineData(ShmFullMode.Wait, "observer")]
    public void A_killed_reader_holds_nobody_back(ShmFullMode mode, string kind)
    {
        using TestChannel test = new(Lane, fullMode: mode);
        ChildProcess killed = StartLossy(test, First, kind);
        ChildProcess running = StartLossy(test, Second, kind);
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        Eventually.True(() => test.Progress[First] > 100, "messages flow");
        killed.Kill();
        long messages = WriteOnAndEnd(test, writer);
        ExpectEverything(running, messages);
    }

    [Fact]
    public void Readers_stopped_and_continued_at_random_lose_only_what_they_count()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(Lane, fullMode: ShmFullMode.DropOldest);
        ChildProcess[] readers =
            [StartLossy(test, First, "consumer", pauses: 50), StartLossy(test, Second, "observer", pauses: 50)];
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        Eventually.True(() => test.Progress[First] > 0 && test.Progress[Second] > 0, "messages flow");
        for (int round = 0; round < Campaign.Rounds(80); round++)
        {
            ChildProcess child = campaign.Random.Next(3) == 0 ? writer : readers[campaign.Random.Next(2)];
            child.TryStop();
            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(10)));
            child.TryContinue();
            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(5)));
        }

        writer.Kill(); // in the middle of whatever it does; its successor says how much there was
        ByteProducer successor = test.Channel.CreateProducer();
        successor.TryComplete();
        long published = Published(test);
        Assert.All(readers, reader => ExpectEverything(reader, published));
        successor.Dispose();
    }

    [Fact]
    public void A_stopped_consumer_is_evicted_after_the_time_and_the_others_lose_nothing()
    {
        using TestChannel test = new(Lane, evictAfter: TimeSpan.FromSeconds(5)); // so long no other has to do without a processor
        ChildProcess stopped = StartLossy(test, First, "consumer");
        ChildProcess running = test.StartReader(Second);
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        Eventually.True(() => test.Progress[First] > 100, "messages flow");
        stopped.Stop();
        long messages = WriteOnAndEnd(test, writer);
        Assert.Equal(messages.ToString(CultureInfo.InvariantCulture), running.Expect("done")[0]);
        stopped.Continue();
        string[] words = stopped.Expect("evicted");
        Assert.InRange(Number(words[0]), 100, messages);
        Assert.Equal(0, Number(words[1]));
        stopped.ExpectEnd();
        Assert.Equal(0, test.Channel.ConsumerCount);
    }

    [Fact]
    public void Consumers_stopped_at_random_get_everything_in_order_up_to_their_eviction()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(Lane, evictAfter: _limit);
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        int evicted = 0;
        for (int round = 0; round < Campaign.Rounds(3); round++)
        {
            long before = test.Progress[First];
            using ChildProcess victim = StartLossy(test, First, "late");
            Eventually.True(() => test.Progress[First] != before, "messages flow");
            for (int stop = 0; stop < 20; stop++)
            {
                victim.TryStop();
                Thread.Sleep(campaign.Instant(_limit / 20));
                victim.TryContinue();
                Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(10)));
            }

            victim.TryStop();
            Thread.Sleep(_limit * (0.5 + campaign.Random.NextDouble())); // around the instant of the eviction
            victim.TryContinue();
            Thread.Sleep(100);
            if (victim.HasSaid)
            {
                victim.Expect("evicted");
                victim.ExpectEnd();
                evicted++;
            }
        }

        using ChildProcess last = StartLossy(test, First, "late");
        last.Stop();
        Eventually.True(() => test.Channel.ConsumerCount == 0, "the last one is evicted");
        last.Continue();
        last.Expect("evicted");
        _output.WriteLine($"{evicted + 1} evicted");
        writer.Kill();
    }

    [Fact]
    public void A_dead_consumer_is_not_waited_for_however_long_EvictAfter_is()
    {
        using TestChannel test = new(Lane, evictAfter: TimeSpan.FromDays(1));
        ChildProcess killed = StartLossy(test, First, "consumer");
        ChildProcess running = test.StartReader(Second);
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        Eventually.True(() => test.Progress[First] > 100, "messages flow");
        killed.Kill();
        long messages = WriteOnAndEnd(test, writer);
        Assert.Equal(messages.ToString(CultureInfo.InvariantCulture), running.Expect("done")[0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_written_is_what_came_and_what_was_dropped(bool isOneKilled)
    {
        const int Writers = 3;
        using TestChannel test = new(4096, maxProducers: Writers, fullMode: ShmFullMode.DropWrite);
        long messages = Campaign.Rounds(300_000);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        ChildProcess[] writers = [.. Enumerable.Range(1, Writers).Select(id =>
            test.Start("drop-writer", ("id", id), ("count", isOneKilled && id == 1 ? long.MaxValue : messages)))];
        foreach (ChildProcess writer in writers)
        {
            writer.Send("go");
        }

        long[] read = new long[Writers + 1];
        long[] next = new long[Writers + 1];
        bool isKilled = !isOneKilled;
        while (consumer.WaitToRead(ChildProcess.Patience))
        {
            while (consumer.TryRead(out ShmRecord record))
            {
                long id = BinaryPrimitives.ReadInt64LittleEndian(record.Payload);
                long number = BinaryPrimitives.ReadInt64LittleEndian(record.Payload[8..]);
                Assert.True(number >= next[id], $"{id}/{number} came behind {next[id] - 1}");
                next[id] = number + 1;
                read[id]++;
                if (!isKilled && read[1] == 20_000)
                {
                    writers[0].Kill();
                    isKilled = true;
                }
            }
        }

        long dropped = 0;
        for (int id = isOneKilled ? 2 : 1; id <= Writers; id++)
        {
            long own = Number(writers[id - 1].Expect("done")[0]);
            Assert.Equal(messages, read[id] + own);
            dropped += own;
        }

        if (isOneKilled)
        {
            // The one that was killed may have written, or dropped, one more than it noted.
            long own = test.Channel.DroppedMessages - dropped;
            Assert.InRange(read[1] + own, test.Progress[1], test.Progress[1] + 1);
        }
        else
        {
            Assert.Equal(dropped, test.Channel.DroppedMessages);
        }

        Assert.True(test.Channel.DroppedMessages > 0, "nothing was dropped, so nothing was shown");
    }

    private static ChildProcess StartLossy(TestChannel test, int counter, string kind, int pauses = 0) =>
        test.Start("lossy-reader", ("counter", counter), ("kind", kind), ("pauses", pauses));

    /// <summary>The writer, which would go on for ever, writes many more messages, and ends. Returns how many there were in all.</summary>
    private static long WriteOnAndEnd(TestChannel test, ChildProcess writer)
    {
        long enough = test.Progress[1] + Campaign.Rounds(100_000);
        Eventually.True(() => test.Progress[1] >= enough, "the writer goes on");
        test.Progress[StreamRoles.StopCounter] = 1;
        return Number(writer.Expect("done")[0]);
    }

    /// <summary>The reader ends, and what it read and lost is everything. Returns how much it lost.</summary>
    private long ExpectEverything(ChildProcess reader, long messages)
    {
        string[] words = reader.Expect("done");
        (long read, long lost) = (Number(words[0]), Number(words[1]));
        _output.WriteLine($"{reader}: {read} read, {lost} lost");
        Assert.Equal(messages, read + lost);
        Assert.True(read > 0);
        reader.ExpectEnd();
        return lost;
    }

    /// <summary>How many messages were ever published, as a newcomer sees it.</summary>
    private static long Published(TestChannel test)
    {
        using ByteConsumer observer = test.Channel.CreateObserver(StartPosition.Earliest);
        long published = 0;
        while (observer.TryRead(out ShmRecord record))
        {
            published = record.Sequence + 1;
        }

        return published;
    }

    private static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);
}
