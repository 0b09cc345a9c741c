// As many producer processes at once as a channel has lanes by default.

using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class ManyProducersTests(ITestOutputHelper output)
{
    private const int Producers = 16;
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void Sixteen_producers_keep_their_order_at_one_consumer()
    {
        const long Messages = 5_000;
        using TestChannel test = new(64 * 1024, maxProducers: Producers);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        ChildProcess[] writers =
            [.. Enumerable.Range(1, Producers).Select(id => test.StartWriter(id, id % 2 == 0 ? "copy" : "claim", Messages))];
        long start = Stopwatch.GetTimestamp();
        foreach (ChildProcess writer in writers)
        {
            writer.Send("go");
        }

        // The first may have completed before the last has started: completion is looked at when all have said that they are done.
        StreamChecker checker = new();
        while (checker.Total < Producers * Messages)
        {
            consumer.WaitToRead(ChildProcess.Patience);
            long before = checker.Total;
            checker.DrainSome(consumer);
            Assert.True(checker.Total > before || consumer.Completion.IsCompleted, $"Nothing came for {ChildProcess.Patience}.");
        }

        _output.WriteLine($"{checker.Total} messages of {Producers} processes in {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s");
        foreach (ChildProcess writer in writers)
        {
            writer.Expect("done");
            writer.ExpectEnd();
        }

        Assert.All(Enumerable.Range(1, Producers), id => Assert.Equal(Messages, checker.NextOf(id)));
        Assert.False(consumer.WaitToRead(ChildProcess.Patience));
        Assert.True(consumer.Completion.IsCompletedSuccessfully);
        Assert.Equal(0, consumer.Count);
    }
}
