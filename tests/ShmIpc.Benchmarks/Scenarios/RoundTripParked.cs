// 64 bytes there and back, each side asleep until it is woken: against a bare futex, and a socket.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class RoundTripParked : Scenario
{
    public const string ParkedName = "round-trip-parked";
    public const string Park = "ShmIpc, Park";
    public const string Futex = "C futex ping-pong";

    private const int PayloadBytes = 64;

    private readonly ManagedPair _park = new(Park, new ChildSettings
    {
        Role = Role.Ping,
        Transport = Transport.Channel,
        PayloadBytes = PayloadBytes,
        WaitStrategy = WaitStrategy.Park,
    });

    private readonly ManagedPair _unixSocket = new("Unix stream socket", new ChildSettings
    {
        Role = Role.Ping,
        Transport = Transport.UnixSocket,
        PayloadBytes = PayloadBytes,
    });

    private readonly NativePair _futex = new(Futex, "pingpong", "futex", [PayloadBytes]);

    public RoundTripParked()
        : base(ParkedName)
    {
    }

    public override Section Section => Section.Latency;

    public override IReadOnlyList<Contender> Contenders => [_park, _futex, _unixSocket];

    public override bool HasPercentiles => true;

    public override bool IsQuick => true;

    public override int MeasureFactor => 4;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("round trip 64 B, Park, p99.9", Metric.P999, _park, _futex, Target.AtMost(3)),
        new("round trip 64 B, Park, p50", Metric.P50, _park, _futex),
        new("round trip 64 B, Park, p50", Metric.P50, _park, _unixSocket, IsTimesBetter: true),
        new("allocation, round trip, Park", Metric.Allocation, _park, null, Target.Nothing),
    ];
}
