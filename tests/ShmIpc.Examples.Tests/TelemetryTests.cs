// Rates and percentages from two samples, and what is said when samples are missing.
using System.Diagnostics;
using ShmIpc.Examples.Consumer;
using ShmIpc.Examples.Messages;
using Spectre.Console;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class TelemetryTests
{
    [Fact]
    public void Rates_are_differences_over_time()
    {
        TelemetryFigures figures = new FigureCalculator(Sample(1, seconds: 10, scale: 1), Sample(2, seconds: 12, scale: 3)).Calculate();
        Assert.Equal(TimeSpan.FromSeconds(2), figures.Interval);
        Assert.Equal([new CoreLoad(0, 25), new CoreLoad(1, 75)], figures.Cores);
        Assert.Equal(50, figures.CpuPercent);
        Assert.Equal([new DiskRate("vda", 4096, 8192, 10)], figures.Disks);
        Assert.Equal((500, 700), (figures.ReceivedBytesPerSecond, figures.SentBytesPerSecond));
        Assert.Equal([(20, 75.0), (10, 50.0)], figures.Processes.Select(p => (p.Counters.ProcessId, p.CpuPercent)));
    }

    [Fact]
    public void The_first_sample_has_no_rates()
    {
        TelemetryFigures figures = new FigureCalculator(null, Sample(1, 10, 1)).Calculate();
        Assert.Equal(TimeSpan.Zero, figures.Interval);
        Assert.Null(figures.CpuPercent);
        Assert.Empty(figures.Cores);
        Assert.Contains("rates follow", PlainView.Line(figures, new TelemetryTracker()), StringComparison.Ordinal);
    }

    [Fact]
    public void Counters_that_go_backwards_and_processes_that_are_new_have_no_rate()
    {
        TelemetrySample older = Sample(1, 10, 3);
        TelemetrySample newer = Sample(2, 12, 1) with { Processes = [new(20, 999, "reused", 'R', 5000, 1, 1)] };
        TelemetryFigures figures = new FigureCalculator(older, newer).Calculate();
        Assert.Equal([new DiskRate("vda", 0, 0, 0)], figures.Disks);
        Assert.Empty(figures.Processes);
    }

    [Fact]
    public void Gaps_count_as_lost_and_another_run_as_a_restart()
    {
        var tracker = new TelemetryTracker();
        tracker.Add(Sample(7, 1, 1), 0, isLive: false);
        tracker.Add(Sample(8, 2, 2), 0, isLive: true);
        tracker.Add(Sample(11, 3, 3), 0, isLive: true);
        tracker.Add(Sample(1, 4, 4) with { Run = 2 }, 0, isLive: true);
        tracker.Add(Sample(2, 5, 5) with { Run = 2 }, 0, isLive: true);
        Assert.Equal((5, 2, 1, 4), (tracker.Samples, tracker.Lost, tracker.Restarts, tracker.Latency.Count));
    }

    [Fact]
    public void What_goes_to_other_consumers_of_a_shared_group_is_not_lost()
    {
        var tracker = new TelemetryTracker(isShared: true);
        tracker.Add(Sample(7, 1, 1), 0, isLive: false);
        string heading = Draw(tracker.Add(Sample(11, 2, 2), 0, isLive: true), tracker);
        Assert.Equal((2, 0), (tracker.Samples, tracker.Lost));
        Assert.Contains("2 samples, 1/s, 3 for other consumers of the group, 0 producer restarts", heading, StringComparison.Ordinal);
        Assert.DoesNotContain("lost", heading, StringComparison.Ordinal);
    }

    [Fact]
    public void Latencies_are_in_microseconds()
    {
        var recorder = new LatencyRecorder();
        for (int i = 1; i <= 100; i++)
            recorder.Add(0, i * Stopwatch.Frequency / 1_000_000);
        Latency latency = recorder.Summarize();
        Assert.InRange(latency.P50, 49.9, 50.1);
        Assert.InRange(latency.Max, 99.9, 100.1);
        Assert.Equal("p50 50.0 us  p99 99.0 us  p99.9 100.0 us  max 100.0 us", latency.ToString());
        Assert.Equal("-", default(Latency).ToString());
    }

    [Fact]
    public void Names_that_look_like_markup_are_shown_as_they_are()
    {
        TelemetrySample older = Sample(1, 10, 1);
        TelemetrySample newer = Sample(2, 12, 3);
        older.Processes[0] = older.Processes[0] with { Name = "[red]x[/]" };
        newer.Processes[0] = newer.Processes[0] with { Name = "[red]x[/]" };
        string text = Draw(new FigureCalculator(older, newer).Calculate(), new TelemetryTracker());
        Assert.Contains("[red]x[/]", text, StringComparison.Ordinal);
        Assert.Contains("a[b]", text, StringComparison.Ordinal);
    }

    /// <summary>What the dashboard shows of channel "a[b]".</summary>
    private static string Draw(TelemetryFigures figures, TelemetryTracker tracker)
    {
        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 100;
        var view = new DashboardView(console, "a[b]", topProcesses: 5);
        console.Write(view.Draw(figures, tracker));
        return text.ToString();
    }

    private static TelemetrySample Sample(long sequence, double seconds, long scale) => new()
    {
        Run = 1,
        Sequence = sequence,
        UnixMilliseconds = 0,
        SampledTimestamp = (long)(seconds * Stopwatch.Frequency),
        Cores = [new(0, 50 * scale, 200 * scale), new(1, 150 * scale, 200 * scale)],
        Memory = new MemoryUse(1 << 30, 1 << 29, 0, 0, 0, 0),
        Disks = [new("vda", 4096 * scale, 8192 * scale, 100 * scale)],
        Networks = [new("lo", 99 * scale, 99 * scale, 0), new("eth0", 500 * scale, 700 * scale, 0)],
        Processes =
        [
            new(10, 1, "ten", 'R', 50 * scale, 1, 1),
            new(20, 1, "twenty", 'R', 75 * scale, 1, 1),
            new(30, 1, "idle", 'S', 5, 1, 1),
        ],
    };
}
