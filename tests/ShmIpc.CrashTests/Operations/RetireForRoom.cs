using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A dead consumer's group holds the lane's room; the producer that needs it ends the group, and dies.</summary>
internal sealed class RetireForRoom : GroupEntryOperation
{
    private const int MessageBytes = 100;
    private const int FullLane = 36; // of 112 bytes each
    private ByteProducer? _producer;

    public override string Role => "producer";

    public override string What => "ends a dead consumer's group, which has the room that it needs, and writes";

    public override string[] Outcomes => [OfTheDead, HalfEnded, NoGroup];

    public override string? Predecessor => "preceded";

    public override void Precede(string root)
    {
        ShmByteChannel channel = ShmByteChannel.Open(Name, OptionsIn(root));
        ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        producer.Write([0]);
        consumer.Read(Patience);
    }

    public override void Act() => Assert.True(_producer!.TryWrite(new byte[MessageBytes]));

    protected override void Prepare()
    {
        _producer = Channel.CreateProducer();
        for (int i = 0; i < FullLane; i++)
        {
            _producer.TryWrite(new byte[MessageBytes]);
        }
    }
}
