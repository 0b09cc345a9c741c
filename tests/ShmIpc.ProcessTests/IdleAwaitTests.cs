// What awaits cost while nothing happens, measured in a process that does nothing else: threads and processor time.

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
        const int Seconds = 4;
        using ScratchRoot root = new();
        using ChildProcess child = ChildProcess.Start(
            "awaiter", ("root", root.Path), ("channels", channels), ("each", each), ("DOTNET_TieredCompilation", 0));
        string[] ready = child.Expect("ready");
        Assert.Equal(hubs, int.Parse(ready[0], CultureInfo.InvariantCulture));
        Assert.InRange(int.Parse(ready[1], CultureInfo.InvariantCulture), hubs, hubs + 3); // the runtime may start one of its own
        Thread.Sleep(TimeSpan.FromSeconds(1)); // it has compiled what it runs, and its start is over
        TimeSpan before = Linux.ProcessorTime(child.Id);
        Thread.Sleep(TimeSpan.FromSeconds(Seconds));
        double perSecond = (Linux.ProcessorTime(child.Id) - before).TotalMilliseconds / Seconds;
        _output.WriteLine($"{channels * each} awaits on {channels} channels: {perSecond:F1} ms of processor time per second");
        Assert.InRange(perSecond, 0, 40); // a hub that polls every few milliseconds takes several times that
        child.Send("publish");
        Assert.Equal((channels * each).ToString(CultureInfo.InvariantCulture), child.Expect("done")[0]);
        child.ExpectEnd();
    }
}
