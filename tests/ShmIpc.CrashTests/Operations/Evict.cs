using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A living consumer that does not move; the producer whose room it has throws it out, and dies.</summary>
internal class Evict : GroupEntryOperation
{
    private const int MessageBytes = 100;
    private const int FullLane = 36; // of 112 bytes each
    private ByteConsumer? _consumer;
    private ByteProducer? _producer;

    public override string Role => "producer";

    public override string What => "evicts a consumer that stands still (`EvictAfter`), and writes";

    public override string[] Outcomes { get; } =
        ["the consumer, which goes on", "the consumer, which learns that it was evicted; another one joins in its place"];

    protected virtual ConsumerOptions Membership => new();

    public override void Act()
    {
        while (!_producer!.TryWrite(new byte[MessageBytes]))
        {
            Thread.Sleep(10);
        }
    }

    protected override ShmChannelOptions OptionsIn(string root) =>
        base.OptionsIn(root) with { EvictAfter = TimeSpan.FromMilliseconds(100) };

    protected override void SetStage() => _consumer = Channel.CreateConsumer(Membership);

    protected override void Prepare()
    {
        _producer = Channel.CreateProducer();
        for (int i = 0; i < FullLane; i++)
        {
            Assert.True(_producer.TryWrite([(byte)i, .. new byte[MessageBytes - 1]]));
        }
    }

    protected override string Look()
    {
        using ByteConsumer consumer = _consumer!;
        bool isEvicted = false;
        try
        {
            for (int i = 0; i < FullLane; i++)
            {
                Assert.Equal(i, consumer.Read(Patience).Payload[0]);
            }
        }
        catch (ShmEvictedException)
        {
            isEvicted = true;
            consumer.Dispose();
        }

        if (!isEvicted)
        {
            consumer.Release();
            Write(77);
            Assert.Equal(77, consumer.Read(Patience).Payload[0]);
        }

        consumer.Dispose();
        using ByteConsumer next = Channel.CreateConsumer(Membership with { Start = StartPosition.Latest });
        Write(99);
        Assert.Equal([99], ReadTo(next, 99));
        return Outcomes[isEvicted ? 1 : 0];
    }
}
