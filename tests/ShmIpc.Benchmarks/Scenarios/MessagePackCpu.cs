// What the channel adds to MessagePack: one thread publishes and reads an object, beside the same object into a buffer and back.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class MessagePackCpu : Scenario
{
    // Allocation is counted in whole bytes over millions of messages: this much is a stray object, not one a message.
    private const double NoMoreThan = 1.001;

    private readonly ManagedAlone _channel = new("ShmIpc, MessagePack", Settings(Transport.Order));
    private readonly ManagedAlone _plain = new("MessagePack alone", Settings(Transport.MessagePackAlone));

    public MessagePackCpu()
        : base("messagepack-cpu")
    {
    }

    public override Section Section => Section.Typed;

    public override IReadOnlyList<Contender> Contenders => [_channel, _plain];

    public override bool IsQuick => true;

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("publish and read an object, CPU time", Metric.CpuTime, _channel, _plain, Target.AtMost(1.15)),
        new("publish and read an object, typical", Metric.Typical, _channel, _plain),
        new("allocation, publish and read an object", Metric.Allocation, _channel, _plain, Target.AtMost(NoMoreThan)),
    ];

    private static ChildSettings Settings(Transport transport) => new()
    {
        Role = Role.Alone,
        Transport = transport,
        PayloadBytes = sizeof(ulong), // the number; the rest of the object is always the same
    };
}
