using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>One message, copied in.</summary>
internal sealed class Publish : ChannelOperation
{
    private static readonly byte[] _before = [1, 2, 3];
    private static readonly byte[] _message = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];
    private ByteProducer? _producer;
    private ByteConsumer? _consumer;

    public override string Role => "producer";

    public override string What => "publishes a message";

    public override string[] Outcomes { get; } = ["no trace of it", "the message, whole"];

    protected override void SetStage() => _consumer = Channel.CreateConsumer();

    protected override void Prepare()
    {
        _producer = Channel.CreateProducer();
        _producer.Write(_before);
    }

    public override void Act() => _producer!.TryWrite(_message);

    protected override string Look()
    {
        using ByteConsumer consumer = _consumer!;
        Assert.Equal(_before, consumer.Read(Patience).Payload.ToArray());
        bool isThere = consumer.TryRead(out ShmRecord record);
        if (isThere)
        {
            Assert.Equal(_message, record.Payload.ToArray());
            Assert.Equal(1, record.Sequence);
            Assert.False(consumer.TryRead(out _));
        }

        using ByteProducer next = Channel.CreateProducer(); // takes over the lane
        Assert.Equal(0, next.Lane);
        next.Write([9], Patience);
        Assert.Equal(isThere ? 2 : 1, consumer.Read(Patience).Sequence);
        return Outcomes[isThere ? 1 : 0];
    }
}
