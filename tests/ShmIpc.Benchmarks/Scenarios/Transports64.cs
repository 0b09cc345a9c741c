// 64 bytes through everything else that carries messages: one way, and there and back.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class Transports64 : Scenario
{
    private const int PayloadBytes = 64;
    private const string RingName = "sequence ring, as the Disruptor's";

    private readonly Role _role;
    private readonly Metric _metric;
    private readonly Contender _channel;
    private readonly Contender? _adaptive;
    private readonly Contender? _unixSocket;
    private readonly Contender? _ring;
    private readonly Contender? _batched;
    private readonly Contender[] _others = [];

    private Transports64(string name, Role role, bool isQuick)
        : base(name)
    {
        _role = role;
        IsQuick = isQuick;
        _metric = role == Role.Ping ? Metric.Typical : Metric.Rate;
        _channel = new ManagedPair("ShmIpc", Settings(Transport.Channel));
        if (isQuick || role == Role.Ping)
        {
            _ring = new ManagedPair(RingName, Settings(Transport.SequenceRing));
        }

        if (isQuick)
        {
            _batched = new ManagedPair("ShmIpc, batched", Settings(Transport.ChannelBatch));
        }
        else
        {
            _adaptive = role == Role.Ping
                ? new ManagedPair("ShmIpc, Adaptive", Settings(Transport.Channel) with { WaitStrategy = WaitStrategy.Adaptive })
                : null;
            _unixSocket = new ManagedPair("Unix stream socket", Settings(Transport.UnixSocket));
            _others =
            [
                new ManagedPair("named pipe", Settings(Transport.Pipe)),
                new ManagedPair("NetMQ, TCP loopback", Settings(Transport.NetMq)),
                new ManagedAlone("System.Threading.Channels, one process", Settings(Transport.ThreadingChannel)),
            ];
        }
    }

    /// <summary>The ring has a scenario of its own, because it is part of the quick run.</summary>
    public static IEnumerable<Scenario> Each =>
    [
        new Transports64("transports-64-ring", Role.Receiver, isQuick: true),
        new Transports64("transports-64-one-way", Role.Receiver, isQuick: false),
        new Transports64("transports-64-round-trip", Role.Ping, isQuick: false),
    ];

    public override Section Section => Section.Transports;

    public override IReadOnlyList<Contender> Contenders =>
        [.. new[] { _channel, _adaptive, _ring, _batched, _unixSocket }.OfType<Contender>(), .. _others];

    public override bool HasPercentiles => _role == Role.Ping;

    public override bool IsQuick { get; }

    public override IEnumerable<Comparison> Comparisons
    {
        get
        {
            string measure = _role == Role.Ping ? "round trip 64 B, BusySpin" : "one way 64 B, TryWrite";
            if (_ring is not null)
            {
                yield return new(measure, _metric, _channel, _ring, _role == Role.Ping ? null : Target.AtLeast(3));
            }

            if (_batched is not null)
            {
                yield return new("one way 64 B, in batches", _metric, _batched, _ring);
            }

            if (_unixSocket is not null)
            {
                yield return new(measure, _metric, _channel, _unixSocket, IsTimesBetter: true);
                if (_adaptive is not null)
                {
                    yield return new("round trip 64 B, Adaptive", _metric, _adaptive, _unixSocket, IsTimesBetter: true);
                }
            }

            foreach (Contender other in _others)
            {
                yield return new(measure, _metric, _channel, other, IsTimesBetter: true);
            }
        }
    }

    private ChildSettings Settings(Transport transport) => new()
    {
        Role = _role,
        Transport = transport,
        PayloadBytes = PayloadBytes,
        WaitStrategy = WaitStrategy.BusySpin,
    };
}
