using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The active member of an exclusive group, by hand.</summary>
internal sealed class Acknowledge : ChannelOperation
{
    private static readonly ConsumerOptions _group = new() { Group = "line", Acknowledge = AcknowledgeMode.Manual, Durable = true };
    private ByteConsumer? _member;
    private ByteConsumer? _standBy;

    public override string Role => "active member of an exclusive group";

    public override string What => "acknowledges the first of two messages";

    public override string[] Outcomes { get; } = ["the stand-by gets both, announced as repeated", "the stand-by gets the second"];

    protected override void Prepare()
    {
        _member = Channel.CreateConsumer(_group);
        using ByteProducer producer = Channel.CreateProducer();
        producer.Write([0]);
        producer.Write([1]);
    }

    public override void Ready() => _standBy = Channel.CreateConsumer(_group);

    public override void Act()
    {
        ShmRecord record = _member!.Read(Patience);
        _member.Acknowledge(record);
    }

    protected override string Look()
    {
        using ByteConsumer standBy = _standBy!;
        List<int> got = [];
        while (got is not [.., 1])
        {
            ShmRecord record = standBy.Read(Patience);
            got.Add(record.Payload[0]);
            standBy.Acknowledge(record);
        }

        return got switch
        {
            [0, 1] => Outcomes[0],
            [1] => Outcomes[1],
            _ => string.Join(", ", got),
        };
    }
}
