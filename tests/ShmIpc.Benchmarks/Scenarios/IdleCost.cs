// A consumer that waits and gets nothing; and, to hold that against, a thread that wakes as often and does nothing at all.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class IdleCost : Scenario
{
    private static readonly Target _cpu = Target.Below(0.5, "0.5 %");
    private static readonly Target _wakeUps = Target.Below(20, "20 /s");

    private readonly ManagedGroup _parked =
        new("a thread in Read", new PartSettings { Part = Part.Idle, WaitStrategy = WaitStrategy.Park, IsAlone = true });

    private readonly ManagedGroup _awaiting =
        new("a pending await", new PartSettings { Part = Part.IdleAwait, WaitStrategy = WaitStrategy.Park, IsAlone = true });

    private readonly ManagedGroup _sleeping = new("a thread in Thread.Sleep", new PartSettings { Part = Part.IdleSleep, IsAlone = true });

    public IdleCost()
        : base("idle")
    {
    }

    public override Section Section => Section.Costs;

    public override IReadOnlyList<Contender> Contenders => [_parked, _awaiting, _sleeping];

    public override bool IsQuick => true;

    /// <summary>One second when quick, else more than three.</summary>
    public override int MeasureFactor => 7;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("idle, a thread in Read: processor time", Metric.IdleCpu, _parked, null, _cpu),
        new("idle, a thread in Read: wake-ups", Metric.WakeUps, _parked, null, _wakeUps),
        new("idle, a pending await: processor time", Metric.IdleCpu, _awaiting, null, _cpu),
        new("idle, a pending await: wake-ups", Metric.WakeUps, _awaiting, null, _wakeUps),
        new("idle, nothing but Thread.Sleep(50): processor time", Metric.IdleCpu, _sleeping, null),
    ];

    public override int MostRepetitions(Plan plan) => plan.Quick ? 1 : 3;
}
