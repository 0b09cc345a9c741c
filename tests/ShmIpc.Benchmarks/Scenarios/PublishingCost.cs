// What a message costs its publisher in processor time, with several groups and with one: bursts that find room, and nothing else, are
// timed. Consumers that spin need no waking; those that sleep are woken within the burst, which then is in the figure.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class PublishingCost(int groups, WaitStrategy consumers)
    : Scenario($"publishing-cost-{groups}{(consumers == WaitStrategy.Park ? "-parked" : "")}")
{
    private readonly ManagedGroup _group = Group("ShmIpc", groups, consumers);
    private readonly ManagedGroup _one = Group("one group", 1, consumers);

    public override IReadOnlyList<Contender> Contenders => groups == 1 ? [_group] : [_group, _one];

    public override bool IsQuick => groups == 8 && !IsParked;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new(
            $"publisher's processor time a message, {groups} group{(groups == 1 ? "" : "s")}{(IsParked ? ", asleep" : "")}",
            Metric.PublishingCpu,
            _group,
            groups == 1 ? null : _one,
            groups == 8 && !IsParked ? Target.AtMost(1.2) : null),
    ];

    public override PlotPoint? Point => IsParked ? null : new("publishing-cost-by-groups", groups, Metric.PublishingCpu);

    private bool IsParked => consumers == WaitStrategy.Park;

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;

    private static ManagedGroup Group(string name, int groups, WaitStrategy consumers) => new(
        name,
        new PartSettings { Part = Part.PublishBursts, Peers = groups, IsAlone = true },
        [.. Enumerable.Repeat(new PartSettings { Part = Part.Subscribe, WaitStrategy = consumers }, groups)]);
}
