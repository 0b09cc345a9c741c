// One producer, one reader, messages of one size, as fast as they go, single and in batches: against the same lane protocol in C, the
// bare copies, and a Unix socket.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class OneWay : Scenario
{
    public const string Plain = "ShmIpc";
    public const string Lane = "C lane";
    public const string Burdened = "C lane, as many instructions as ShmIpc";
    public const string Copies = "memcpy in and out, one core";

    private const int SmallestLaneBytes = 1 << 20;

    // Past this a message stays in no cache, and there is no target.
    private const int LargestWithTarget = 65536;

    // How often the C reader pauses when it has just caught up, before it looks again: the most gainful of 0, 16, 64, 256 and 1024.
    public const string BackOffPauses = "256";

    // What ShmIpc has more than the C lane for each message, on each side: 137 and 154 instructions (recorded.txt) against some 30.
    private const string Ballast = "120";

    private readonly string _measure;
    private readonly int _payloadBytes;
    private readonly bool _claims;
    private readonly long _laneBytes;
    private readonly ManagedPair _channel;
    private readonly ManagedPair _single;
    private readonly ManagedPair? _batched;
    private readonly ManagedPair? _unixSocket;
    private readonly NativePair _lane;
    private readonly NativePair? _burdened;
    private readonly NativePair? _laneBatched;
    private readonly NativePair? _copies;

    public OneWay(int payloadBytes, Transport transport)
        : base($"one-way-{payloadBytes}{(transport == Transport.ChannelClaim ? "-claim" : "")}")
    {
        _claims = transport == Transport.ChannelClaim;
        _payloadBytes = payloadBytes;
        _laneBytes = Math.Max(SmallestLaneBytes, 4L * payloadBytes);
        _measure = $"one way {payloadBytes} B, {(_claims ? "claim and commit" : "TryWrite")}";
        _channel = Pair(Plain, transport);
        _single = Pair("ShmIpc, single-threaded", transport, isSingleThreaded: true);
        _lane = Native(Lane, "oneway");
        if (!_claims)
        {
            _batched = Pair("ShmIpc, batched", Transport.ChannelBatch);
            _laneBatched = Native("C lane, batched", "batch");
            _burdened = payloadBytes is 24 or 56 or 120 // sizes of the full run only: the quick one has no time for it
                ? new NativePair(Burdened, "lane", "oneway", [_laneBytes, _payloadBytes], BackOffPauses, Ballast)
                : null;
            _copies = Native(Copies, "memcpy");
            _unixSocket = payloadBytes is 64 or 4096 or 65536 ? Pair("Unix stream socket", Transport.UnixSocket) : null;
        }
    }

    public override bool IsQuick => !_claims && _payloadBytes is 8 or 64 or 1016 or 4096 or 65536;

    public override PlotPoint? Point => _claims ? null : new PlotPoint("throughput-by-size", _payloadBytes, Metric.Rate);

    public override Section Section => Section.Throughput;

    public override IReadOnlyList<Contender> Contenders =>
        [.. new Contender?[] { _channel, _lane, _burdened, _single, _batched, _laneBatched, _copies, _unixSocket }.OfType<Contender>()];

    public override IEnumerable<Comparison> Comparisons
    {
        get
        {
            Target? target = _payloadBytes <= LargestWithTarget ? Target.AtLeast(0.9) : null;
            yield return new(_measure, Metric.Rate, _channel, _lane, target);
            yield return new($"{_measure}, single-threaded", Metric.Rate, _single, _lane, target);
            if (_burdened is not null) yield return new(_measure, Metric.Rate, _channel, _burdened);
            yield return new($"{_measure}, undisturbed", Metric.Undisturbed, _channel, _lane);
            yield return new($"{_measure}, single-threaded, undisturbed", Metric.Undisturbed, _single, _lane);
            if (_batched is not null && _laneBatched is not null && _copies is not null)
            {
                string batched = $"one way {_payloadBytes} B, in batches";
                yield return new(batched, Metric.Rate, _batched, _laneBatched, target);
                yield return new($"{batched}, undisturbed", Metric.Undisturbed, _batched, _laneBatched);
                yield return new(_measure, Metric.Rate, _channel, _copies);
                yield return new($"allocation, {batched}", Metric.Allocation, _batched, null, Target.Nothing);
            }

            if (_unixSocket is not null)
            {
                yield return new(_measure, Metric.Rate, _channel, _unixSocket, _payloadBytes == 64 ? Target.TimesBetter(50) : null);
            }

            yield return new($"allocation, {_measure}", Metric.Allocation, _channel, null, Target.Nothing);
        }
    }

    private NativePair Native(string name, string mode) => new(name, "lane", mode, [_laneBytes, _payloadBytes], BackOffPauses);

    private ManagedPair Pair(string name, Transport transport, bool isSingleThreaded = false) => new(name, new ChildSettings
    {
        Role = Role.Receiver,
        Transport = transport,
        IsSingleThreaded = isSingleThreaded,
        PayloadBytes = _payloadBytes,
        LaneCapacityBytes = _laneBytes,
        WaitStrategy = WaitStrategy.BusySpin,
    });
}
