// One line a sample, for logs and pipes.
using System.Globalization;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Consumer;

internal sealed class PlainView(TextWriter output) : ITelemetryView
{
    public Task RunAsync(Func<Action<TelemetryFigures, TelemetryTracker>, Task> follow) =>
        follow((figures, tracker) => output.WriteLine(Line(figures, tracker)));

    internal static string Line(TelemetryFigures figures, TelemetryTracker tracker)
    {
        TelemetrySample sample = figures.Sample;
        MemoryUse use = sample.Memory;
        string time = DateTimeOffset.FromUnixTimeMilliseconds(sample.UnixMilliseconds).ToLocalTime()
            .ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        string memory = $"mem {ByteSize.Format(use.TotalBytes - use.AvailableBytes)} of {ByteSize.Format(use.TotalBytes)}";
        Latency latencies = tracker.Latency;
        string latency = latencies.Count == 0 ? "" : $"  latency p50 {Latency.Format(latencies.P50)} p99 {Latency.Format(latencies.P99)}";
        if (figures.Interval == TimeSpan.Zero)
            return $"{time} #{sample.Sequence} {memory}; rates follow with the next sample";

        string cores = string.Join(' ', figures.Cores.Select(core => core.Percent.ToString("0", CultureInfo.InvariantCulture)));
        string cpu = figures.CpuPercent is double percent ? $"cpu {percent:0}% ({cores})" : "cpu unknown";
        string top = figures.Processes is [ProcessLoad busiest, ..]
            ? $"top {busiest.Counters.Name}[{busiest.Counters.ProcessId}] {busiest.CpuPercent:0}%"
            : "top none";
        return $"{time} #{sample.Sequence} {cpu}  {memory}"
            + $"  disk r {ByteSize.Format(figures.ReadBytesPerSecond)}/s w {ByteSize.Format(figures.WrittenBytesPerSecond)}/s"
            + $"  net in {ByteSize.Format(figures.ReceivedBytesPerSecond)}/s out {ByteSize.Format(figures.SentBytesPerSecond)}/s"
            + $"  {top}{latency}";
    }
}
