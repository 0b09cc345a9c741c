// One producer, one reader, single writes of one size, as fast as they go: against the same lane protocol in C, and a Unix socket.

using ShmIpc.Benchmarks.Children;
using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class OneWay : Scenario
{
    private const int LaneCapacityBytes = 1 << 20;

    // How often the C reader pauses when it has just caught up, before it looks again: the most gainful of 0, 16, 64, 256 and 1024.
    private const string BackOffPauses = "256";

    private readonly string _measure;
    private readonly int _payloadBytes;
    private readonly ManagedPair _channel;
    private readonly ManagedPair _single;
    private readonly ManagedPair? _unixSocket;
    private readonly NativePair _lane;

    public OneWay(int payloadBytes, Transport transport)
        : base($"one-way-{payloadBytes}{(transport == Transport.ChannelClaim ? "-claim" : "")}")
    {
        bool claims = transport == Transport.ChannelClaim;
        _payloadBytes = payloadBytes;
        _measure = $"one way {payloadBytes} B, {(claims ? "claim and commit" : "TryWrite")}";
        _channel = Pair("ShmIpc", transport);
        _single = Pair("ShmIpc, single-threaded", transport, isSingleThreaded: true);
        _unixSocket = claims ? null : Pair("Unix stream socket", Transport.UnixSocket);
        _lane = new NativePair("C lane", "lane", "oneway", [LaneCapacityBytes, payloadBytes], BackOffPauses);
    }

    public override IReadOnlyList<Contender> Contenders =>
        _unixSocket is null ? [_channel, _lane, _single] : [_channel, _lane, _single, _unixSocket];

    public override IEnumerable<Comparison> Comparisons
    {
        get
        {
            yield return new(_measure, Metric.Rate, _channel, _lane, Target.AtLeast(0.9));
            yield return new($"{_measure}, single-threaded", Metric.Rate, _single, _lane, Target.AtLeast(0.9));
            yield return new($"{_measure}, undisturbed", Metric.Undisturbed, _channel, _lane);
            yield return new($"{_measure}, single-threaded, undisturbed", Metric.Undisturbed, _single, _lane);
            if (_unixSocket is not null)
            {
                yield return new(_measure, Metric.Rate, _channel, _unixSocket, _payloadBytes == 64 ? Target.TimesBetter(50) : null);
            }

            yield return new($"allocation, {_measure}", Metric.Allocation, _channel, null, Target.Nothing);
        }
    }

    private ManagedPair Pair(string name, Transport transport, bool isSingleThreaded = false) => new(name, new ChildSettings
    {
        Role = Role.Receiver,
        Transport = transport,
        IsSingleThreaded = isSingleThreaded,
        PayloadBytes = _payloadBytes,
        LaneCapacityBytes = LaneCapacityBytes,
        WaitStrategy = WaitStrategy.BusySpin,
    });
}
