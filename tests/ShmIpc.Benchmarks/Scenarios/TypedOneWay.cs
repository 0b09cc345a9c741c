// Typed messages between two processes, as fast as they go, beside raw bytes.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class TypedOneWay : Scenario
{
    private readonly ManagedPair _raw = new("ShmIpc, raw bytes", Settings(Transport.Channel, 64));
    private readonly ManagedPair _block = new("ShmIpc, blittable", Settings(Transport.Block, 64));
    private readonly ManagedPair _order = new("ShmIpc, MessagePack", Settings(Transport.Order, sizeof(ulong)));

    public TypedOneWay()
        : base("typed-one-way")
    {
    }

    public override Section Section => Section.Typed;

    public override IReadOnlyList<Contender> Contenders => [_raw, _block, _order];

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("one way, struct of 64 B", Metric.Rate, _block, _raw),
        new("one way, struct of 64 B, undisturbed", Metric.Undisturbed, _block, _raw),
        new("one way, MessagePack object of 8 fields", Metric.Rate, _order, _raw),
        new("one way, MessagePack object of 8 fields, undisturbed", Metric.Undisturbed, _order, _raw),
        new("allocation, one way, struct of 64 B", Metric.Allocation, _block, null, Target.Nothing),
        new("allocation, one way, MessagePack object", Metric.Allocation, _order, null),
    ];

    private static ChildSettings Settings(Transport transport, int payloadBytes) => new()
    {
        Role = Role.Receiver,
        Transport = transport,
        PayloadBytes = payloadBytes,
    };
}
