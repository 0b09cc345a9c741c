// What a message costs its publisher in processor time, with several groups and with one: bursts that find room, and nothing else, are
// timed. Either publisher and groups take turns, and nobody sleeps; or each group is a process that sleeps when it has read everything, and
// to wake it is in the figure.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class PublishingCost(int groups, bool areAsleep)
    : Scenario($"publishing-cost-{groups}{(areAsleep ? "-asleep" : "")}")
{
    private readonly ManagedGroup _group = Group("ShmIpc", groups, areAsleep);
    private readonly ManagedGroup _one = Group("one group", 1, areAsleep);

    public override Section Section => Section.Scaling;

    public override IReadOnlyList<Contender> Contenders => groups == 1 ? [_group] : [_group, _one];

    public override bool IsQuick => groups == 8 && !areAsleep;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new(
            $"publisher's processor time a message, {groups} group{(groups == 1 ? "" : "s")}{(areAsleep ? ", asleep" : "")}",
            Metric.PublishingCpu,
            _group,
            groups == 1 ? null : _one,
            groups == 8 && !areAsleep ? Target.AtMost(1.2) : null),
    ];

    public override PlotPoint? Point => areAsleep ? null : new("publishing-cost-by-groups", groups, Metric.PublishingCpu);

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;

    private static ManagedGroup Group(string name, int groups, bool areAsleep) => new(
        name,
        new PartSettings { Part = Part.PublishBursts, Peers = groups, IsAlone = true, TakesTurns = !areAsleep },
        areAsleep
            ? [.. Enumerable.Repeat(new PartSettings { Part = Part.Subscribe, WaitStrategy = WaitStrategy.Park }, groups)]
            : [new PartSettings { Part = Part.ReadGroups, Peers = groups }]);
}
