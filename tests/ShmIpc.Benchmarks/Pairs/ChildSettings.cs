// What the driver tells one child process, as the one JSON argument of its command line.

using System.Text.Json;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed record ChildSettings
{
    public required Role Role { get; init; }

    public required Transport Transport { get; init; }

    public required int PayloadBytes { get; init; }

    public WaitStrategy WaitStrategy { get; init; } = WaitStrategy.BusySpin;

    /// <summary>Opens the channel with SingleWriter and SingleReader: the promise that C makes by having no threads.</summary>
    public bool IsSingleThreaded { get; init; }

    public long LaneCapacityBytes { get; init; } = 1 << 20;

    /// <summary>A directory of this measurement's own: channels and sockets live in it.</summary>
    public string Directory { get; init; } = "";

    public int Cpu { get; init; }

    /// <summary>The processor of the second thread, where both sides run in one process.</summary>
    public int OtherCpu { get; init; }

    public TimeSpan WarmUp { get; init; }

    public TimeSpan Measure { get; init; }

    public ShmChannelOptions ChannelOptions() => new()
    {
        Root = Directory,
        LaneCapacityBytes = LaneCapacityBytes,
        WaitStrategy = WaitStrategy,
        SingleWriter = IsSingleThreaded,
        SingleReader = IsSingleThreaded,
    };

    public string ToArgument() => JsonSerializer.Serialize(this, JsonLine.Options);

    public static ChildSettings FromArgument(string argument) =>
        JsonSerializer.Deserialize<ChildSettings>(argument, JsonLine.Options) ?? throw new FormatException("Empty child settings.");
}
