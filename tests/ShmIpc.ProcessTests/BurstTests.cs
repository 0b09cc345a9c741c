// Many small messages between two processes.

using System.Diagnostics;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class BurstTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void Five_million_messages_cross_in_order_and_without_an_allocation()
    {
        int count = Campaign.Rounds(5_000_000);
        long start = Stopwatch.GetTimestamp();
        using TestChannel test = new(1024 * 1024);
        ChildProcess reader = test.Start("burst-reader", ("count", count));
        ChildProcess writer = test.Start("burst-writer", ("count", count));
        writer.Send("go");
        string[] written = writer.Expect("done", Campaign.Rounds(5) * ChildProcess.Patience);
        string[] read = reader.Expect("done");
        _output.WriteLine($"{count} messages of 64 bytes in {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s, "
            + $"starts of the processes included; steady state: writer {written[2]}/s, reader {read[2]}/s");
        Assert.Equal(written[0], read[0]);
        Assert.Equal("0", written[1]);
        Assert.Equal("0", read[1]);
        writer.ExpectEnd();
        reader.ExpectEnd();
    }
}
