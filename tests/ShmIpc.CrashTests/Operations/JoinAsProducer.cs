using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The first producer of a lane, which has no memory yet.</summary>
internal sealed class JoinAsProducer : ChannelOperation
{
    public override string Role => "producer";

    public override string What => "takes a lane that nobody had";

    public override string[] Outcomes { get; } =
    [
        "nobody's lane",
        "the lane of a dead producer, not announced to the readers; the next one takes it",
        "the lane of a dead producer; the next one takes it",
    ];

    public override void Act() => Channel.CreateProducer();

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        (ulong owner, ulong lanes) = (Inside.Lane(0).Owner, Inside.LaneSet);
        using ByteConsumer consumer = Channel.CreateConsumer();
        Assert.False(consumer.TryRead(out _));
        using ByteProducer next = Channel.CreateProducer();
        Assert.Equal(0, next.Lane);
        next.Write([1], Patience);
        Assert.Equal(1, consumer.Read(Patience).Payload[0]);
        return Outcomes[owner == 0 ? 0 : lanes == 0 ? 1 : 2];
    }
}
