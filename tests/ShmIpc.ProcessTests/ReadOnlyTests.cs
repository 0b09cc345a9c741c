// A consumer cannot change what it reads.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class ReadOnlyTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void A_consumer_that_writes_into_a_message_dies_alone()
    {
        using TestChannel test = new(64 * 1024);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        ChildProcess reader = test.StartReader(100);
        ChildProcess scribbler = test.Start("scribbler");
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        scribbler.Send("go");
        StreamChecker checker = new();
        Eventually.True(() => Reading(scribbler.HasExited), "the scribbler dies");
        int code = scribbler.WaitForExit();
        Assert.True(code is 128 + Linux.SIGSEGV or 128 + Linux.SIGABRT, $"It ended with code {code}.");
        Assert.False(scribbler.HasSaid);

        long before = test.Progress[1];
        Eventually.True(() => Reading(test.Progress[1] > before + 1000), "the producer goes on");
        writer.Kill();
        checker.Drain(consumer);
        Eventually.True(() => test.Progress[100] == checker.Total, "the other consumer sees the same");
        _output.WriteLine($"exit code {code}; {checker.Total} messages seen by the others");

        bool Reading(bool isOver)
        {
            checker.DrainSome(consumer);
            return isOver;
        }
    }
}
