// What a person wants to see: rates and percentages, derived from the counters of two samples.
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Consumer;

/// <summary>The machine between two samples.</summary>
internal sealed record TelemetryFigures
{
    /// <summary>The newer of the two samples.</summary>
    public required TelemetrySample Sample { get; init; }

    /// <summary>The time between the two; zero for the first sample, which has no rates.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>All cores together, 0 to 100; null where it is unknown.</summary>
    public required double? CpuPercent { get; init; }
    public required CoreLoad[] Cores { get; init; }
    public required DiskRate[] Disks { get; init; }
    public required NetworkRate[] Networks { get; init; }

    /// <summary>Every process of the sample that used processor time, busiest first.</summary>
    public required ProcessLoad[] Processes { get; init; }

    public double ReadBytesPerSecond => Disks.Sum(d => d.ReadBytesPerSecond);
    public double WrittenBytesPerSecond => Disks.Sum(d => d.WrittenBytesPerSecond);

    // What a machine says to itself is no network traffic.
    public double ReceivedBytesPerSecond => Networks.Where(n => n.Name != "lo").Sum(n => n.ReceivedBytesPerSecond);
    public double SentBytesPerSecond => Networks.Where(n => n.Name != "lo").Sum(n => n.SentBytesPerSecond);
}
