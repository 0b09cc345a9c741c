using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The last member of a shared group died with a message in hand, which keeps its slot taken; whoever joins ends the group, and
/// dies.</summary>
internal sealed class RetireForsaken : GroupEntryOperation
{
    public override string Role => "producer";

    public override string What => "joins, and ends a shared group whose last member died with a message in hand";

    public override string[] Outcomes { get; } = [OfTheDead, HalfEnded, NoGroup];

    public override string? Predecessor => "preceded";

    public override void Precede(string root)
    {
        ShmByteChannel channel = ShmByteChannel.Open(Name, OptionsIn(root));
        ByteConsumer consumer = channel.CreateConsumer(new() { Group = "workers", Kind = GroupKind.Shared });
        using ByteProducer producer = channel.CreateProducer();
        producer.Write([0]);
        consumer.Read(Patience);
    }

    public override void Act() => Channel.CreateProducer();

    protected override void Prepare()
    {
    }
}
