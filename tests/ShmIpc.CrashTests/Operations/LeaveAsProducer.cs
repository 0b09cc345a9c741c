using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Gives its lane back.</summary>
internal sealed class LeaveAsProducer : ChannelOperation
{
    private ByteProducer? _producer;
    private ByteConsumer? _consumer;

    public override string Role => "producer";

    public override string What => "is disposed, with a batch open";

    public override string[] Outcomes { get; } =
        ["the lane of a dead producer; the next one continues it", "a free lane; the next one continues it"];

    public override void Act() => _producer!.Dispose();

    protected override void SetStage() => _consumer = Channel.CreateConsumer();

    protected override void Prepare()
    {
        _producer = Channel.CreateProducer();
        _producer.Write([0]);
        Batch batch = _producer.BeginBatch();
        batch.Write([66]);
        batch.Write([67]);
    }

    protected override string Look()
    {
        using ByteConsumer consumer = _consumer!;
        ulong owner = Inside.Lane(0).Owner;
        ContinueLane(consumer, 1);
        return Outcomes[owner == 0 ? 1 : 0];
    }
}
