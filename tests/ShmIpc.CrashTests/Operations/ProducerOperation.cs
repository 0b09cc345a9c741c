// A producer that dies, and one consumer in the test's process: of what the operation publishes there is nothing or all of it, and the
// lane goes on under the next producer.

using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

internal abstract class ProducerOperation : ChannelOperation
{
    protected static readonly byte[] Message = Bytes(100, 7);
    private readonly List<byte[]> _got = [];
    private ByteProducer? _producer;
    private ByteConsumer? _consumer;

    public override string Role => "producer";

    public override string[] Outcomes { get; } = ["no trace of it", "the message, whole"];

    /// <summary>Published before.</summary>
    protected virtual byte[][] Before { get; } = [[1, 2, 3]];

    /// <summary>What the operation publishes.</summary>
    protected virtual byte[][] Published { get; } = [Message];

    /// <summary>In the victim's process.</summary>
    protected ByteProducer Producer => _producer!;

    /// <summary>In the test's process.</summary>
    protected ByteConsumer Consumer => _consumer!;

    protected override void SetStage() => _consumer = Channel.CreateConsumer();

    protected override void Prepare()
    {
        _producer = Channel.CreateProducer();
        foreach (byte[] payload in Before)
        {
            _producer.Write(payload);
        }
    }

    protected override string Look()
    {
        using ByteConsumer consumer = _consumer!;
        ReadAll();
        Assert.Equal(Before, _got[..Before.Length]);
        byte[][] rest = [.. _got[Before.Length..]];
        if (rest.Length > 0)
        {
            Assert.Equal(Published, rest);
        }

        GoOn();
        return Outcomes[rest.Length == 0 ? 0 : 1];
    }

    /// <summary>Reads what is there, whose numbers have no gap.</summary>
    protected void ReadAll()
    {
        while (Consumer.TryRead(out ShmRecord record))
        {
            Assert.Equal(_got.Count, record.Sequence);
            _got.Add(record.Payload.ToArray());
        }
    }

    /// <summary>The next producer takes over the lane, and numbers go on.</summary>
    protected void GoOn()
    {
        using ByteProducer next = Channel.CreateProducer();
        Assert.Equal(0, next.Lane);
        next.Write([9], Patience);
        ShmRecord record = Consumer.Read(Patience);
        Assert.Equal(_got.Count, record.Sequence);
        Assert.Equal([9], record.Payload.ToArray());
    }

    /// <summary>A payload that shows where it comes from and where it is torn.</summary>
    protected static byte[] Bytes(int length, int seed) => [.. Enumerable.Range(0, length).Select(i => (byte)((i * 7) + seed))];
}
