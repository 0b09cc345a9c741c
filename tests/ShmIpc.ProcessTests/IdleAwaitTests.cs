// What awaits cost while nothing happens, measured in a process that does nothing else: threads and processor time.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class IdleAwaitTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Theory]
    [InlineData(100, 2, 1)]
    [InlineData(20, 10, 1)]
    [InlineData(300, 1, 3)]
    public void Hundreds_of_idle_awaits_cost_a_handful_of_threads_and_next_to_no_processor_time(int channels, int each, int hubs)
    {
        const int MostLooks = 10;
        const double MostMs = 40; // a hub that polls every few milliseconds takes several times that
        using ScratchRoot root = new();
        root.RequireRoom(channels * (128L << 10));
        using ChildProcess child = ChildProcess.Start(
            "awaiter", ("root", root.Path), ("channels", channels), ("each", each), ("DOTNET_TieredCompilation", 0));
        string[] ready = child.Expect("ready");
        Assert.Equal(hubs, int.Parse(ready[0], CultureInfo.InvariantCulture));
        Assert.InRange(int.Parse(ready[1], CultureInfo.InvariantCulture), hubs, hubs + 3); // the runtime may start one of its own
        Thread.Sleep(TimeSpan.FromSeconds(1)); // it has compiled what it runs, and its start is over, unless the machine is busy

        // Who polls does so in every second; what the runtime does now and then, and a machine that is busy, cost something in some.
        double perSecond = double.MaxValue;
        for (int look = 0; look < MostLooks && perSecond > MostMs; look++)
        {
            (TimeSpan before, long start) = (Linux.ProcessorTime(child.Id), Stopwatch.GetTimestamp());
            Thread.Sleep(TimeSpan.FromSeconds(2));
            perSecond = (Linux.ProcessorTime(child.Id) - before) / Stopwatch.GetElapsedTime(start) * 1000;
        }

        _output.WriteLine($"{channels * each} awaits on {channels} channels: {perSecond:F1} ms of processor time per second");
        Assert.InRange(perSecond, 0, MostMs);
        child.Send("publish");
        Assert.Equal((channels * each).ToString(CultureInfo.InvariantCulture), child.Expect("done")[0]);
        child.ExpectEnd();
    }
}
