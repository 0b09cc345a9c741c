// `await foreach` beside blocking reads: one way, and there and back with only the echo awaiting.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class AsyncReading(Role role) : Scenario(role == Role.Ping ? "async-round-trip" : "async-one-way")
{
    private readonly ManagedPair _awaiting = Pair("ShmIpc, ReadAllAsync", Transport.BlockAsync, role);
    private readonly ManagedPair _blocking = Pair("ShmIpc, Read", Transport.Block, role);

    public override Section Section => Section.Typed;

    public override IReadOnlyList<Contender> Contenders => [_awaiting, _blocking];

    public override bool HasPercentiles => role == Role.Ping;

    public override IEnumerable<Comparison> Comparisons => role == Role.Ping
        ?
        [
            new("round trip 64 B, await foreach, Adaptive", Metric.Typical, _awaiting, _blocking),
            new("round trip 64 B, await foreach, Adaptive, p99.9", Metric.P999, _awaiting, _blocking),
        ]
        :
        [
            new("one way 64 B, await foreach, Adaptive", Metric.Rate, _awaiting, _blocking),
            new("one way 64 B, await foreach, Adaptive, undisturbed", Metric.Undisturbed, _awaiting, _blocking),
            new("allocation, one way, await foreach", Metric.Allocation, _awaiting, null),
        ];

    private static ManagedPair Pair(string name, Transport transport, Role role) => new(name, new ChildSettings
    {
        Role = role,
        Transport = transport,
        PayloadBytes = 64,
        WaitStrategy = WaitStrategy.Adaptive,
    });
}
