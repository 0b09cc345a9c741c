// kill -9 of a producer at random instants, and what its consumers and its successor see: everything that was committed, nothing that
// was not, and no difference otherwise.

using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class ProducerKillTests(ITestOutputHelper output)
{
    private const int FirstReader = 500; // producers count in the progress file at their own number, consumers from here
    private readonly ITestOutputHelper _output = output;

    [Theory]
    [InlineData("copy", 100, 1)]
    [InlineData("claim", 50, 1)]
    [InlineData("batch", 30, StreamRoles.BatchMessages)]
    [InlineData("copy", 15, 1, ShmFlushMode.None)]
    [InlineData("copy", 15, 1, ShmFlushMode.Async)]
    [InlineData("batch", 15, StreamRoles.BatchMessages, ShmFlushMode.Async)]
    [InlineData("claim", 15, 1, ShmFlushMode.Sync)]
    public void A_killed_producer_loses_nothing_committed_and_its_successor_goes_on(
        string mode, int kills, int publishedAtOnce, ShmFlushMode? flush = null)
    {
        Campaign campaign = new(_output);
        long start = Stopwatch.GetTimestamp();
        using TestChannel test = new(64 * 1024, flush: flush);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        StreamChecker checker = new();
        int deaths = Campaign.Rounds(kills);
        int inFlight = 0;
        ChildProcess next = test.StartWriter(Id(0), mode);
        for (int round = 0; round < deaths; round++)
        {
            // One lane, so the successor continues exactly what the dead one left. It starts up while its predecessor works.
            int id = Id(round);
            using ChildProcess producer = next;
            test.Progress[id] = 0;
            producer.Send("go");
            next = test.StartWriter(Id(round + 1), mode);
            checker.ReadFor(consumer, campaign.Instant(TimeSpan.FromMilliseconds(30)), isReading: campaign.Random.Next(4) != 0);
            producer.Kill();
            checker.Drain(consumer);

            long committed = test.Progress[id];
            long seen = checker.NextOf(id);
            inFlight += seen == committed ? 0 : 1;
            Assert.True(
                seen == committed || seen == committed + publishedAtOnce,
                $"Round {round} (SHMIPC_SEED={campaign.Seed}): the killed producer had committed {committed} messages, and {seen} came.");
            checker.Forget(id);
        }

        _output.WriteLine($"{deaths} producers killed ({mode}, {flush?.ToString() ?? "memory"}), {checker.Total} messages seen, in {inFlight} deaths one publication was "
            + $"committed and not yet acknowledged; {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");

        int Id(int round) => round % (FirstReader - 1);
    }

    [Fact]
    public void What_killed_producers_left_is_there_for_consumers_that_come_later()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(64 * 1024);
        int deaths = Campaign.Rounds(20);
        for (int id = 1; id <= deaths; id++)
        {
            // Nobody reads, so the oldest messages are overwritten all the time.
            using ChildProcess producer = test.StartWriter(id);
            producer.Send("go");
            Eventually.True(() => test.Progress[id] > 0, "the producer works");
            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(20)));
            producer.Kill();

            StreamChecker checker = new(isLate: true);
            using ByteConsumer consumer = test.Channel.CreateConsumer();
            checker.Drain(consumer);
            long committed = test.Progress[id];
            Assert.InRange(checker.NextOf(id), committed, committed + 1);
        }
    }

    [Fact]
    public void A_late_consumer_joins_while_a_producer_overwrites_the_oldest()
    {
        using TestChannel test = new(16 * 1024); // small, so that the producer raises its floor all the time
        ChildProcess producer = test.StartWriter(1);
        producer.Send("go");
        Eventually.True(() => test.Progress[1] > 0, "the producer works");
        for (int i = 0; i < Campaign.Rounds(2000); i++)
        {
            StreamChecker checker = new(isLate: true);
            using ByteConsumer consumer = test.Channel.CreateConsumer();
            for (int read = 0; read < 50; read++)
            {
                checker.Check(consumer.Read(ChildProcess.Patience));
            }
        }
    }

    [Fact]
    public void Nothing_of_an_open_claim_is_visible_after_its_producer_was_killed()
    {
        using TestChannel test = new(16 * 1024);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        for (int round = 0; round < Campaign.Rounds(10); round++)
        {
            using ChildProcess holder = test.Start("claim-holder", ("bytes", 100 + (round * 700 % 8000)));
            holder.Kill();
            Assert.False(consumer.TryRead(out _));
            Assert.Equal(0, consumer.Count);

            using ByteProducer successor = test.Channel.CreateProducer();
            successor.Write("after"u8, ChildProcess.Patience);
            ShmRecord record = consumer.Read(ChildProcess.Patience);
            Assert.True(record.Payload.SequenceEqual("after"u8));
            Assert.Equal(round, record.Sequence);
        }
    }

    [Fact]
    public void Other_producers_and_consumers_do_not_notice_a_death()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(64 * 1024, maxProducers: 3);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        ChildProcess reader = test.StartReader(FirstReader);
        using ByteProducer idle = test.Channel.CreateProducer(); // nobody ends before it has completed
        StreamChecker checker = new();
        const long Messages = 10_000;
        ChildProcess survivor = test.StartWriter(1, count: Messages);
        survivor.Send("go");
        int deaths = 0;
        for (; deaths < 10 || !survivor.HasSaid; deaths++)
        {
            Assert.True(deaths < 1000, "The surviving producer does not get on.");
            int id = 2 + (deaths % (FirstReader - 3));
            using ChildProcess victim = test.StartWriter(id);
            test.Progress[id] = 0;
            victim.Send("go");
            if (deaths % 3 != 0)
            {
                Eventually.True(() => HasWorked(id), "the producer works"); // others die while they attach
            }

            checker.ReadFor(consumer, campaign.Instant(TimeSpan.FromMilliseconds(30)), isReading: true);
            victim.Kill();
            checker.Forget(id);
        }

        idle.TryComplete();

        checker.Drain(consumer);
        Assert.Equal(Messages, checker.NextOf(1));
        survivor.Expect("done");
        survivor.ExpectEnd();
        Assert.Equal(checker.Total.ToString(), reader.Expect("done")[0]);
        Assert.False(consumer.WaitToRead(ChildProcess.Patience));
        Assert.True(consumer.Completion.IsCompletedSuccessfully);
        _output.WriteLine($"{deaths} deaths beside a producer of {Messages} messages; two consumers saw {checker.Total} messages each");

        bool HasWorked(int id)
        {
            checker.DrainSome(consumer);
            return test.Progress[id] > 0;
        }
    }
}
