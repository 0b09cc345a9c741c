// What a type adds to raw bytes: one thread publishes and reads a struct of 64 bytes, beside 64 bytes as they are.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class BlittableCpu : Scenario
{
    private readonly ManagedAlone _typed = new("ShmIpc, blittable", Settings(Transport.Block));
    private readonly ManagedAlone _raw = new("ShmIpc, raw bytes", Settings(Transport.Channel));

    public BlittableCpu()
        : base("blittable-cpu")
    {
    }

    public override Section Section => Section.Typed;

    public override IReadOnlyList<Contender> Contenders => [_typed, _raw];

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("publish and read 64 B, blittable, CPU time", Metric.CpuTime, _typed, _raw),
        new("publish and read 64 B, blittable, typical", Metric.Typical, _typed, _raw),
        new("allocation, publish and read 64 B, blittable", Metric.Allocation, _typed, null, Target.Nothing),
        new("allocation, publish and read 64 B, raw bytes", Metric.Allocation, _raw, null, Target.Nothing),
    ];

    private static ChildSettings Settings(Transport transport) => new()
    {
        Role = Role.Alone,
        Transport = transport,
        PayloadBytes = 64,
    };
}
