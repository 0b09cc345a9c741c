// Several producers, each with a lane of its own, and one reader of all. The reader has a core to itself, the producers share the other.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class LaneScaling(int producers) : Scenario($"lanes-{producers}")
{
    private readonly ManagedGroup _group = new(
        "ShmIpc",
        new PartSettings { Part = Part.Collect, Peers = producers, IsAlone = true },
        [.. Enumerable.Range(0, producers).Select(source => new PartSettings { Part = Part.Feed, Source = source })]);

    public override Section Section => Section.Scaling;

    public override IReadOnlyList<Contender> Contenders => [_group];

    public override IEnumerable<Comparison> Comparisons =>
        [new($"{producers} producer{(producers == 1 ? "" : "s")}, one reader, 64 B", Metric.Rate, _group, null)];

    public override PlotPoint? Point => new("scaling-by-lanes", producers, Metric.Rate);

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;
}
