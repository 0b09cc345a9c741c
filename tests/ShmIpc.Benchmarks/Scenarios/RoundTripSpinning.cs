// 64 bytes there and back, nobody asleep: against cache lines bounced by C, a C lane, and a Unix socket.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class RoundTripSpinning : Scenario
{
    public const string SpinningName = "round-trip-spinning";
    public const string BusySpin = "ShmIpc, BusySpin";
    public const string SingleThreaded = "ShmIpc, BusySpin, single-threaded";
    public const string OneLine = "C ping-pong, one cache line (8 + 56 B)";
    public const string TwoLines = "C ping-pong, two cache lines (8 + 64 B)";
    public const string Lane = "C lane";

    private const int PayloadBytes = 64;

    private readonly ManagedPair _busySpin = Pair(BusySpin, Transport.Channel, WaitStrategy.BusySpin);
    private readonly ManagedPair _single = Pair(SingleThreaded, Transport.Channel, WaitStrategy.BusySpin, true);
    private readonly ManagedPair _adaptive = Pair("ShmIpc, Adaptive", Transport.Channel, WaitStrategy.Adaptive);
    private readonly ManagedPair _unixSocket = Pair("Unix stream socket", Transport.UnixSocket, WaitStrategy.Park);
    private readonly NativePair _oneLine = new(OneLine, "pingpong", "line", [56]);
    private readonly NativePair _twoLines = new(TwoLines, "pingpong", "line", [PayloadBytes]);
    private readonly NativePair _lane = new(Lane, "lane", "roundtrip", [1 << 20, PayloadBytes]);

    public RoundTripSpinning()
        : base(SpinningName)
    {
    }

    public override Section Section => Section.Latency;

    public override IReadOnlyList<Contender> Contenders => [_busySpin, _oneLine, _single, _twoLines, _lane, _adaptive, _unixSocket];

    public override bool HasPercentiles => true;

    public override bool IsQuick => true;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("round trip 64 B, BusySpin", Metric.Typical, _busySpin, _oneLine, Target.AtMost(1.1)),
        new("round trip 64 B, BusySpin", Metric.Typical, _busySpin, _twoLines, Target.AtMost(1.1)),
        new("round trip 64 B, BusySpin, single-threaded", Metric.Typical, _single, _oneLine, Target.AtMost(1.1)),
        new("round trip 64 B, BusySpin, single-threaded", Metric.Typical, _single, _lane),
        new("round trip 64 B, Adaptive", Metric.Typical, _adaptive, _oneLine),
        new("round trip 64 B, BusySpin", Metric.Typical, _busySpin, _unixSocket, Target.TimesBetter(10)),
        new("round trip 64 B, Adaptive", Metric.Typical, _adaptive, _unixSocket, Target.TimesBetter(10)),
        new("round trip 64 B, BusySpin, p99.9", Metric.P999, _busySpin, _oneLine),
        new("allocation, round trip, BusySpin", Metric.Allocation, _busySpin, null, Target.Nothing),
        new("allocation, round trip, Adaptive", Metric.Allocation, _adaptive, null, Target.Nothing),
    ];

    private static ManagedPair Pair(string name, Transport transport, WaitStrategy strategy, bool isSingleThreaded = false) =>
        new(name, new ChildSettings
        {
            Role = Role.Ping,
            Transport = transport,
            PayloadBytes = PayloadBytes,
            WaitStrategy = strategy,
            IsSingleThreaded = isSingleThreaded,
        });
}
