// One producer, and several groups of one consumer each, which all see every message. The producer has a core to itself, the consumers
// share the other: with more of them the rate is what that one core can read.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class GroupScaling(int groups) : Scenario($"groups-{groups}")
{
    private readonly ManagedGroup _group = new(
        "ShmIpc",
        new PartSettings { Part = Part.Publish, Peers = groups, IsAlone = true },
        [.. Enumerable.Repeat(new PartSettings { Part = Part.Subscribe }, groups)]);

    public override Section Section => Section.Scaling;

    public override IReadOnlyList<Contender> Contenders => [_group];

    public override IEnumerable<Comparison> Comparisons =>
        [new($"one producer, {groups} group{(groups == 1 ? "" : "s")}, 64 B", Metric.Rate, _group, null)];

    public override PlotPoint? Point => new("scaling-by-groups", groups, Metric.Rate);

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;
}
