using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A full lane of a channel that drops the oldest.</summary>
internal sealed class PublishOverTheOldest : FullLaneOperation
{
    public override string What => "publishes into a full lane that drops the oldest";

    public override string[] Outcomes { get; } =
    [
        "no trace of it",
        "the oldest messages are lost, and counted as such; no trace of it",
        "the oldest messages are lost, and counted as such; the message, whole",
    ];

    protected override byte[][] Published { get; } = [Bytes(56, 100)];

    protected override ShmChannelOptions OptionsIn(string root) => base.OptionsIn(root) with { FullMode = ShmFullMode.DropOldest };

    public override void Ready()
    {
    }

    public override void Act() => Producer.TryWrite(Published[0]);

    protected override string Look()
    {
        using ByteConsumer consumer = Consumer;
        byte[][] all = [.. Before, .. Published];
        long next = -1;
        while (consumer.TryRead(out ShmRecord record))
        {
            Assert.Equal(next < 0 ? consumer.LostMessages : next, record.Sequence);
            Assert.Equal(all[record.Sequence], record.Payload.ToArray());
            next = record.Sequence + 1;
        }

        using ByteProducer successor = Channel.CreateProducer();
        successor.Write([9], Patience);
        Assert.Equal(next, consumer.Read(Patience).Sequence);
        return Outcomes[(consumer.LostMessages > 0 ? 1 : 0) + (next > Full ? 1 : 0)];
    }
}
