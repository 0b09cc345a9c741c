// A producer without room because of a consumer that is killed: how long until it writes again.

using ShmIpc.Benchmarks.Contenders;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class RecoveryTime : Scenario
{
    private readonly KilledConsumer _killed = new("ShmIpc");

    public RecoveryTime()
        : base("recovery")
    {
    }

    public override Section Section => Section.Costs;

    public override IReadOnlyList<Contender> Contenders => [_killed];

    public override bool IsQuick => true;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("recovery of a producer whose consumer was killed, worst kill", Metric.Max, _killed, null, Target.WorstBelow(100e6, "100 ms")),
        new("recovery of a producer whose consumer was killed, median kill", Metric.P50, _killed, null),
    ];

    public override int MostRepetitions(Plan plan) => plan.Quick ? 1 : 3;
}
