using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A producer continues the lane of one that died with a batch open, and dies, too.</summary>
internal class TakeOverLane : ChannelOperation
{
    private ByteConsumer? _consumer;
    private ulong _first;

    private ulong Owner => Inside.Lane(0).Owner;

    public override string Role => "producer";

    public override string What => "takes over the lane of a producer that died in a batch";

    public override string[] Outcomes { get; } =
        ["the lane of the first, continued behind its last message", "the lane of the second, continued behind the first's last message"];

    public override string? Predecessor => "preceded";

    public override void Precede(string root)
    {
        ByteProducer first = ShmByteChannel.Open(Name, OptionsIn(root)).CreateProducer();
        first.Write([0]);
        first.Write([1]);
        Batch batch = first.BeginBatch();
        batch.Write([66]);
        batch.Write([67]);
        batch.Write([68]);
    }

    public override void Act() => Channel.CreateProducer();

    public override void Ready() => _first = Owner;

    protected override void SetStage() => _consumer = Channel.CreateConsumer();

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        using ByteConsumer consumer = _consumer!;
        ulong owner = Owner;
        ContinueLane(consumer, 2);
        return Outcomes[owner == _first ? 0 : 1];
    }
}
