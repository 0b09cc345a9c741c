// kill -9 of consumers: producers that wait for them go on, other consumers see everything.

using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class ConsumerKillTests(ITestOutputHelper output)
{
    private const int FirstReader = 100;

    private readonly ITestOutputHelper _output = output;

    [Fact]
    public async Task A_producer_that_waits_for_a_killed_consumer_goes_on()
    {
        TimeSpan longest = TimeSpan.Zero;
        for (int round = 0; round < Campaign.Rounds(10); round++)
        {
            using TestChannel test = new(16 * 1024);
            using ByteProducer producer = test.Channel.CreateProducer();
            producer.Write("held"u8);
            ChildProcess holder = test.Start("consumer-holder", ("read", round % 2));
            Fill(producer);
            Task<long> write = Task.Run(() =>
            {
                producer.Write(new byte[1000], ChildProcess.Patience);
                return Stopwatch.GetTimestamp();
            });
            await Task.Delay(120); // long enough to be parked
            Assert.False(write.IsCompleted);
            Assert.Equal(1, test.Channel.ConsumerCount);

            holder.Kill();
            long killed = Stopwatch.GetTimestamp();
            TimeSpan took = Stopwatch.GetElapsedTime(killed, await write.WaitAsync(ChildProcess.Patience));
            longest = took > longest ? took : longest;
            Assert.Equal(0, test.Channel.ConsumerCount);
        }

        _output.WriteLine($"longest delay behind a killed consumer: {Math.Max(0, longest.TotalMilliseconds):F1} ms");
    }

    [Fact]
    public async Task An_asynchronous_producer_that_waits_for_a_killed_consumer_goes_on()
    {
        using TestChannel test = new(16 * 1024);
        using ByteProducer producer = test.Channel.CreateProducer();
        ChildProcess holder = test.Start("consumer-holder", ("read", 0));
        Fill(producer);
        ValueTask write = producer.WriteAsync(new byte[1000]);
        await Task.Delay(120);
        Assert.False(write.IsCompleted);
        holder.Kill();
        await write.AsTask().WaitAsync(ChildProcess.Patience);
    }

    [Fact]
    public void Consumers_killed_at_random_instants_disturb_neither_the_producer_nor_each_other()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(64 * 1024);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        StreamChecker checker = new();
        ChildProcess survivor = test.StartReader(FirstReader);
        ChildProcess producer = test.StartWriter(1);
        producer.Send("go");
        int deaths = Campaign.Rounds(30);
        ChildProcess next = test.StartReader(FirstReader + 1, isLate: true);
        for (int round = 1; round <= deaths; round++)
        {
            using ChildProcess victim = next;
            next = Drained(() => test.StartReader(FirstReader + 1 + (round % 50), isLate: true));
            ReadFor(campaign.Instant(TimeSpan.FromMilliseconds(20)));
            victim.Kill();
            long before = checker.Total;
            Drained(() =>
            {
                Eventually.True(() => test.Progress[1] > before + 100, "the producer goes on after the death of a consumer");
                return true;
            });
        }

        producer.Kill(); // while nobody sleeps
        next.Kill();
        checker.Drain(consumer);
        Assert.InRange(checker.NextOf(1), test.Progress[1], test.Progress[1] + 1);
        Eventually.True(() => test.Progress[FirstReader] == checker.Total, "the other surviving consumer has seen as many messages");
        _output.WriteLine($"{deaths} consumers killed, {checker.Total} messages");

        // The test's own consumer keeps on reading while the test does something else.
        T Drained<T>(Func<T> something)
        {
            Task<T> work = Task.Run(something);
            while (!work.IsCompleted)
            {
                ReadFor(TimeSpan.FromMilliseconds(1));
            }

            return work.GetAwaiter().GetResult();
        }

        void ReadFor(TimeSpan time)
        {
            long start = Stopwatch.GetTimestamp();
            do
            {
                checker.DrainSome(consumer);
            }
            while (Stopwatch.GetElapsedTime(start) < time);
        }
    }

    [Fact]
    public void Killed_consumers_never_exhaust_the_groups()
    {
        using TestChannel test = new(16 * 1024, maxGroups: 2);
        for (int round = 0; round < Campaign.Rounds(8); round++)
        {
            using ChildProcess holder = test.Start("consumer-holder", ("read", 0));
            using ChildProcess second = test.Start("consumer-holder", ("read", 0));
            Assert.Throws<ShmLimitException>(() => test.Channel.CreateConsumer());
            holder.Kill();
            test.Channel.CreateConsumer().Dispose();
            second.Kill();
        }
    }

    private static void Fill(ByteProducer producer)
    {
        while (producer.TryWrite(new byte[1000]))
        {
        }
    }
}
