// One producer, one reader, lanes from much smaller than the caches to much larger.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class CapacityScaling(long capacityBytes) : Scenario($"capacity-{capacityBytes / 1024}-kib")
{
    private readonly ManagedPair _small = Pair("64 B", 64, capacityBytes);
    private readonly ManagedPair _large = Pair("4096 B", 4096, capacityBytes);

    public override Section Section => Section.Scaling;

    public override IReadOnlyList<Contender> Contenders => [_small, _large];

    public override IEnumerable<Comparison> Comparisons =>
    [
        new($"one way 64 B, lane of {capacityBytes / 1024} KiB", Metric.Rate, _small, null),
        new($"one way 4096 B, lane of {capacityBytes / 1024} KiB", Metric.Rate, _large, null),
    ];

    public override PlotPoint? Point => new("throughput-by-capacity", capacityBytes, Metric.Rate);

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;

    private static ManagedPair Pair(string name, int payloadBytes, long capacityBytes) => new(name, new ChildSettings
    {
        Role = Role.Receiver,
        Transport = Transport.Channel,
        PayloadBytes = payloadBytes,
        LaneCapacityBytes = capacityBytes,
        WaitStrategy = WaitStrategy.BusySpin,
    });
}
