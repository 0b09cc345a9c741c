// Becoming a participant of a channel that another process has, and creating a channel: the second and later times in a process.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class AttachTime : Scenario
{
    private static readonly Target _target = Target.Below(1e6, "1 ms");

    private readonly ManagedGroup _attach = new(
        "ShmIpc", new PartSettings { Part = Part.Attach, IsAlone = true }, new PartSettings { Part = Part.Host });

    public AttachTime()
        : base("attach")
    {
    }

    public override Section Section => Section.Costs;

    public override IReadOnlyList<Contender> Contenders => [_attach];

    public override bool IsQuick => true;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("attach: open a channel and create a consumer", Metric.AttachConsumer, _attach, null, _target),
        new("attach: open a channel and create a producer", Metric.AttachProducer, _attach, null, _target),
        new("create a channel", Metric.Create, _attach, null),
    ];

    public override int MostRepetitions(Plan plan) => plan.Quick ? 3 : TopologyScenarios.OfCurve;
}
