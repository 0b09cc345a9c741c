// One producer and a shared group of several members: each message goes to one of them. The producer has a core to itself, the members
// share the other, so this shows what sharing costs, not what more cores would gain.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class MemberScaling(int members) : Scenario($"members-{members}")
{
    private readonly ManagedGroup _group = new(
        "ShmIpc",
        new PartSettings { Part = Part.Publish, Peers = members, IsAlone = true },
        [.. Enumerable.Repeat(new PartSettings { Part = Part.Subscribe, SharedGroup = "workers" }, members)]);

    public override Section Section => Section.Scaling;

    public override IReadOnlyList<Contender> Contenders => [_group];

    public override IEnumerable<Comparison> Comparisons =>
        [new($"one producer, a shared group of {members}, 64 B", Metric.Rate, _group, null)];

    public override PlotPoint? Point => new("scaling-by-members", members, Metric.Rate);

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;
}
