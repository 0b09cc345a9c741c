// What the telemetry example publishes once an interval: the raw counters of this machine, as the kernel counts them.
// Raw, because a consumer that attaches late, or misses a sample, still gets its rates right: a rate is the difference of any two samples.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>The counters of one machine at one moment.</summary>
[MessagePackObject]
public sealed record TelemetrySample
{
    /// <summary>Names one run of one producer; <see cref="Sequence"/> counts within it.</summary>
    [Key(0)]
    public required long Run { get; init; }

    /// <summary>1 for the first sample of a run, then one more each.</summary>
    [Key(1)]
    public required long Sequence { get; init; }

    /// <summary>The time of day, in milliseconds since 1970-01-01 UTC.</summary>
    [Key(2)]
    public required long UnixMilliseconds { get; init; }

    /// <summary>When the counters were read: <c>Stopwatch.GetTimestamp()</c>, which is CLOCK_MONOTONIC and so means the same in every
    /// process.</summary>
    [Key(3)]
    public required long SampledTimestamp { get; init; }

    /// <summary>When the sample was handed to the channel, on the same clock; a consumer subtracts it to get the latency.</summary>
    [Key(4)]
    public long SentTimestamp { get; init; }

    /// <summary>Every core that is online; empty where the kernel does not tell.</summary>
    [Key(5)]
    public required CoreCounters[] Cores { get; init; }

    /// <summary>The memory of the machine.</summary>
    [Key(6)]
    public required MemoryUse Memory { get; init; }

    /// <summary>Every physical disk; empty where the kernel does not tell, as in some containers.</summary>
    [Key(7)]
    public required DiskCounters[] Disks { get; init; }

    /// <summary>Every network interface of this network namespace.</summary>
    [Key(8)]
    public required NetworkCounters[] Networks { get; init; }

    /// <summary>The processes that were busiest since the sample before, busiest first.</summary>
    [Key(9)]
    public required ProcessCounters[] Processes { get; init; }
}
