// What the driver tells one process of a topology, as the one JSON argument of its command line.

using System.Text.Json;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Topology;

internal sealed record PartSettings
{
    public required Part Part { get; init; }

    public int PayloadBytes { get; init; } = 64;

    public long LaneCapacityBytes { get; init; } = 1 << 20;

    /// <summary>Adaptive by default: several processes share a core, and one that spins takes it from those that could work.</summary>
    public WaitStrategy WaitStrategy { get; init; } = WaitStrategy.Adaptive;

    /// <summary>Stands in the messages of a feeder, so that the collector can check each feeder's numbers.</summary>
    public int Source { get; init; }

    /// <summary>How many consumers a publisher waits for, feeders a collector waits for, or groups a reader of groups has.</summary>
    public int Peers { get; init; } = 1;

    /// <summary>Null: a group of its own.</summary>
    public string? SharedGroup { get; init; }

    /// <summary>Null: the channel is what it is by default.</summary>
    public ShmFlushMode? Flush { get; init; }

    /// <summary>How many threads write through the one producer.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Messages between two looks at the clock.</summary>
    public int Batch { get; init; } = Measurement.Batch;

    /// <summary>True: on the first processor, which the process that measures has to itself. All others share the second.</summary>
    public bool IsAlone { get; init; }

    /// <summary>True: a publisher of bursts takes turns with a reader of groups. Else it waits until everything is read.</summary>
    public bool TakesTurns { get; init; }

    /// <summary>A directory of this measurement's own: the channel lives in it.</summary>
    public string Directory { get; init; } = "";

    public int Cpu { get; init; }

    public TimeSpan WarmUp { get; init; }

    public TimeSpan Measure { get; init; }

    public string ToArgument() => JsonSerializer.Serialize(this, JsonLine.Options);

    public static PartSettings FromArgument(string argument) =>
        JsonSerializer.Deserialize<PartSettings>(argument, JsonLine.Options) ?? throw new FormatException("Empty settings of a part.");

    public ShmChannelOptions ChannelOptions() => new()
    {
        Root = Directory,
        LaneCapacityBytes = LaneCapacityBytes,
        WaitStrategy = WaitStrategy,
        Flush = Flush,
    };
}
