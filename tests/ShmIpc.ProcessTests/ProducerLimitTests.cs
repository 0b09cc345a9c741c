// A producer that waits for a lane gets that of a process that dies, at once, and never that of one that is only stopped.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class ProducerLimitTests
{
    [Fact]
    public async Task A_waiting_producer_gets_the_lane_of_a_killed_process_and_not_of_a_stopped_one()
    {
        using TestChannel test = new(16 * 1024, maxProducers: 2);
        using ChildProcess stopped = test.Start("claim-holder", ("bytes", 100));
        for (int round = 0; round < Campaign.Rounds(5); round++)
        {
            using ChildProcess holder = test.Start("claim-holder", ("bytes", 100));
            stopped.Stop();
            TimeoutException late = Assert.Throws<TimeoutException>(() => test.Channel.CreateProducer(TimeSpan.FromMilliseconds(100)));
            Assert.Contains($"processes {stopped.Id}, {holder.Id}", late.Message, StringComparison.Ordinal);

            Task<ByteProducer> waiting = test.Channel.CreateProducerAsync(ChildProcess.Patience);
            holder.Kill();
            using (ByteProducer successor = await waiting)
            {
                Assert.Equal(1, successor.Lane);
                successor.Write("on"u8, ChildProcess.Patience);
            }

            using ByteProducer immediate = test.Channel.CreateProducer();
            Assert.Equal(1, immediate.Lane);
            stopped.Continue();
        }
    }

    [Fact]
    public void A_dead_producers_lane_is_taken_without_a_wait()
    {
        using TestChannel test = new(16 * 1024);
        for (int round = 0; round < Campaign.Rounds(5); round++)
        {
            using ChildProcess holder = test.Start("claim-holder", ("bytes", 100));
            Assert.Throws<ShmLimitException>(() => test.Channel.CreateProducer());
            holder.Kill();
            using ByteProducer successor = test.Channel.CreateProducer(TimeSpan.Zero);
            Assert.Equal(0, successor.Lane);
        }
    }
}
