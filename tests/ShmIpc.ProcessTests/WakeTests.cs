// Sleeping in one process, woken from another.

using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests;

public sealed class WakeTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void A_parked_consumer_is_woken_by_a_producer_of_another_process()
    {
        const int RoundTrips = 300;
        using TestChannel test = new(64 * 1024, wait: WaitStrategy.Park);
        using ShmByteChannel replies = ShmByteChannel.Create("replies", test.Options);
        using ByteConsumer consumer = replies.CreateConsumer();
        ChildProcess echo = test.Start("echo", ("replies", "replies"));
        using (ByteProducer producer = test.Channel.CreateProducer())
        {
            TimeSpan enough = TimeSpan.FromMilliseconds(15);
            List<TimeSpan> times = [];
            for (int i = 0; i < RoundTrips || (i < 10 * RoundTrips && Median(times[^RoundTrips..]) >= enough); i++)
            {
                long start = Stopwatch.GetTimestamp();
                producer.Write(BitConverter.GetBytes(i), ChildProcess.Patience);
                Assert.Equal(i, BitConverter.ToInt32(consumer.Read(ChildProcess.Patience).Payload));
                times.Add(Stopwatch.GetElapsedTime(start));
            }

            // A park ends after 50 ms without being woken, so two lost wake-ups a round trip would show as 50 ms and more on average. On
            // a machine that is busy with something else it may take a while until round trips are quick.
            TimeSpan[] last = [.. times[^RoundTrips..].Order()];
            TimeSpan median = Median(last);
            TimeSpan p99 = last[RoundTrips * 99 / 100];
            _output.WriteLine($"parked round trip: median {median.TotalMicroseconds:F0} us, p99 {p99.TotalMicroseconds:F0} us");
            Assert.True(median < enough, $"The median round trip took {median}: sleepers are not woken.");
            producer.TryComplete();
        }

        echo.Expect("done");
    }

    [Fact]
    public void A_parked_producer_is_woken_by_a_consumer_of_another_process()
    {
        const int Rounds = 20;
        using TestChannel test = new(16 * 1024, wait: WaitStrategy.Park);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        StreamChecker checker = new();
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        TimeSpan enough = TimeSpan.FromMilliseconds(12);
        List<TimeSpan> times = [];
        for (int i = 0; i < Rounds || (i < 10 * Rounds && Median(times[^Rounds..]) >= enough); i++)
        {
            long written = test.Settled(1); // the lane is full, and the producer sleeps
            long start = Stopwatch.GetTimestamp();
            checker.DrainSome(consumer);
            while (test.Progress[1] == written && Stopwatch.GetElapsedTime(start) < ChildProcess.Patience)
            {
                Thread.Yield();
            }

            times.Add(Stopwatch.GetElapsedTime(start));
        }

        // Without being woken it would look again after 0 to 50 ms, so half of the times would exceed 25 ms.
        TimeSpan[] last = [.. times[^Rounds..].Order()];
        TimeSpan median = Median(last);
        _output.WriteLine($"parked producer back at work: median {median.TotalMicroseconds:F0} us, "
            + $"longest {last[^1].TotalMicroseconds:F0} us");
        Assert.True(median < enough, $"The median is {median}: sleepers are not woken.");
    }

    [Theory]
    [InlineData(WaitStrategy.Park)]
    [InlineData(WaitStrategy.Adaptive)]
    public void A_consumer_parked_when_its_only_producer_is_killed_continues_with_the_next(WaitStrategy wait)
    {
        using TestChannel test = new(64 * 1024, wait: wait);
        ChildProcess reader = test.StartReader(100);
        const long Messages = 100;
        long seen = 0;
        for (int id = 1; id <= 5; id++)
        {
            // The holder dies between two messages, with the consumer asleep; its successor finds it asleep and wakes it.
            using (ChildProcess holder = test.Start("claim-holder", ("bytes", 1000)))
            {
                Thread.Sleep(120);
                holder.Kill();
            }

            Thread.Sleep(120);
            Assert.Equal(seen, test.Progress[100]);
            Assert.False(reader.HasSaid); // a crash completes nothing
            using ChildProcess writer = test.StartWriter(id, count: id == 5 ? Messages : long.MaxValue - 1000);
            writer.Send("go");
            Eventually.True(() => test.Progress[100] >= seen + Messages, "the consumer continues with the next producer");
            if (id < 5)
            {
                writer.Kill();
                long acknowledged = seen + test.Progress[id];
                seen = test.Settled(100);
                Assert.InRange(seen, acknowledged, acknowledged + 1); // the last may be committed and not yet acknowledged
            }
            else
            {
                writer.ExpectEnd();
            }
        }

        Assert.Equal((seen + Messages).ToString(), reader.Expect("done")[0]);
    }

    [Fact]
    public async Task An_awaiting_consumer_is_woken_by_a_producer_of_another_process()
    {
        using TestChannel test = new(64 * 1024);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        for (int id = 1; id <= 5; id++)
        {
            using ChildProcess writer = test.StartWriter(id);
            ValueTask<bool> wait = consumer.WaitToReadAsync();
            await Task.Delay(60);
            Assert.False(wait.IsCompleted);
            writer.Send("go");
            Assert.True(await wait.AsTask().WaitAsync(ChildProcess.Patience));
            writer.Kill();
            Drain();
        }

        void Drain()
        {
            while (consumer.TryRead(out _))
            {
            }
        }
    }

    private static TimeSpan Median(IEnumerable<TimeSpan> times)
    {
        TimeSpan[] sorted = [.. times.Order()];
        return sorted[sorted.Length / 2];
    }
}
