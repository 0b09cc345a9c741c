// What one process measured: the JSON line that it prints. The C programs print the same names, without the allocations.

using System.Text.Json;

namespace ShmIpc.Benchmarks.Measuring;

internal sealed record Sample
{
    /// <summary>Messages, or round trips, of the phase that reads the clock only once a batch.</summary>
    public long Operations { get; init; }

    public double Seconds { get; init; }

    /// <summary>The median batch's time a round trip: a mean that is blind to the moments in which the kernel ran somebody else.</summary>
    public double TypicalNs { get; init; }

    /// <summary>One way: the rate that one slice of <see cref="Measurement.Slice"/> in ten exceeds. On a quiet machine little more than
    /// the mean; on a busy one, what the mean would be if both processes had their cores for themselves.</summary>
    public double UndisturbedPerSecond { get; init; }

    /// <summary>Percentiles of single round trips, each timed, in a phase of their own. 0 where nothing goes round.</summary>
    public double P50Ns { get; init; }

    public double P90Ns { get; init; }

    public double P99Ns { get; init; }

    public double P999Ns { get; init; }

    public double MaxNs { get; init; }

    public long Samples { get; init; }

    /// <summary>The whole distribution of the single round trips, from fast to slow. Null where nothing goes round.</summary>
    public IReadOnlyList<LatencyPoint>? Latencies { get; init; }

    /// <summary>Processor time of the whole process an operation, where one process does everything. Else 0.</summary>
    public double CpuNs { get; init; }

    /// <summary>Managed bytes that the measuring or serving thread allocated after its warm-up.</summary>
    public long AllocatedBytes { get; init; }

    /// <summary>The messages over which <see cref="AllocatedBytes"/> were counted.</summary>
    public long AllocationOperations { get; init; }

    /// <summary>How often the kernel took the processor away from this thread in its whole life: high where others were at work.</summary>
    public long Preemptions { get; init; }

    /// <summary>The sum of the numbers that were sent or received, where a topology is checked by it.</summary>
    public ulong Checksum { get; init; }

    /// <summary>Costs other than speed, by name; what they are stands where they are measured.</summary>
    public IReadOnlyDictionary<string, double>? Figures { get; init; }

    public string ToLine() => JsonSerializer.Serialize(this, JsonLine.Options);

    public static Sample Parse(string line) =>
        JsonSerializer.Deserialize<Sample>(line, JsonLine.Options) ?? throw new FormatException("An empty sample.");
}
