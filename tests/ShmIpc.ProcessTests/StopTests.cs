// SIGSTOP is not death: nothing is stolen from a process that is stopped, and it goes on where it was.

using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class StopTests(ITestOutputHelper output)
{
    private const int Reader = 100;

    /// <summary>Longer than every bounded park and every probe of a lock, many times over.</summary>
    private static readonly TimeSpan _stopped = Campaign.Rounds(1) * TimeSpan.FromMilliseconds(700);

    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void A_producer_waits_for_a_stopped_consumer_and_nothing_is_lost()
    {
        using TestChannel test = new(64 * 1024);
        ChildProcess reader = test.StartReader(Reader);
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        Eventually.True(() => test.Progress[Reader] > 1000, "messages flow");
        reader.Stop();
        long read = test.Progress[Reader];
        long written = test.Settled(1);
        Thread.Sleep(_stopped);
        Assert.Equal(written, test.Progress[1]);
        Assert.Equal(read, test.Progress[Reader]);
        Assert.Equal(1, test.Channel.ConsumerCount);

        reader.Continue();
        string messages = WriteOnAndEnd(test, writer, written);
        Assert.Equal(messages, reader.Expect("done")[0]);
        _output.WriteLine($"stopped at {read} read, {written} written; all {messages} arrived");
    }

    [Fact]
    public void The_lane_of_a_stopped_producer_is_not_taken()
    {
        using TestChannel test = new(64 * 1024, maxProducers: 2);
        ChildProcess reader = test.StartReader(Reader);
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        Eventually.True(() => test.Progress[1] > 1000, "messages flow");
        writer.Stop();
        long written = test.Progress[1];
        Assert.Equal(1, test.Channel.ProducerCount);

        using (ByteProducer second = test.Channel.CreateProducer())
        {
            Assert.Equal(1, second.Lane);
            Assert.Throws<ShmLimitException>(test.Channel.CreateProducer);
            Thread.Sleep(_stopped);
            Assert.Throws<ShmLimitException>(test.Channel.CreateProducer);
            Assert.Equal(2, test.Channel.ProducerCount);
            second.Write(First(2), ChildProcess.Patience);
        }

        Assert.Equal(written, test.Progress[1]);
        writer.Continue();
        long messages = long.Parse(WriteOnAndEnd(test, writer, written), CultureInfo.InvariantCulture);
        writer.ExpectEnd();
        Assert.Equal((messages + 1).ToString(CultureInfo.InvariantCulture), reader.Expect("done")[0]);
    }

    [Fact]
    public void Processes_stopped_and_continued_at_random_lose_nothing()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(64 * 1024, maxProducers: 3);
        const long Messages = 50_000;
        using ByteProducer idle = test.Channel.CreateProducer(); // one writer may have completed before the other has joined
        ChildProcess[] readers = [test.StartReader(Reader), test.StartReader(Reader + 1)];
        ChildProcess[] writers = [test.StartWriter(1, count: Messages), test.StartWriter(2, "claim", Messages)];
        ChildProcess[] all = [.. readers, .. writers];
        foreach (ChildProcess writer in writers)
        {
            writer.Send("go");
        }

        for (int round = 0; round < Campaign.Rounds(60); round++)
        {
            ChildProcess child = all[campaign.Random.Next(all.Length)];
            if (child.HasExited)
            {
                continue;
            }

            child.TryStop();
            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(15)));
            child.TryContinue();
            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(5)));
        }

        foreach (ChildProcess writer in writers)
        {
            writer.Expect("done");
        }

        idle.TryComplete();
        foreach (ChildProcess reader in readers)
        {
            Assert.Equal((2 * Messages).ToString(), reader.Expect("done")[0]);
        }
    }

    /// <summary>The writer, which would go on for ever, writes many more messages, and ends. Returns how many there were in all.</summary>
    private static string WriteOnAndEnd(TestChannel test, ChildProcess writer, long written)
    {
        Eventually.True(() => test.Progress[1] > written + 100_000, "the writer goes on");
        test.Progress[StreamRoles.StopCounter] = 1;
        return writer.Expect("done")[0];
    }

    /// <summary>The first message of a stream.</summary>
    private static byte[] First(long producer)
    {
        byte[] payload = new byte[Message.Length(producer, 0)];
        Message.Fill(payload, producer, 0);
        return payload;
    }
}
