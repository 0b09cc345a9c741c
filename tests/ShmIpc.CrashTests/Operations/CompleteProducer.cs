using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The only producer says that nothing more comes, and why.</summary>
internal sealed class CompleteProducer : ChannelOperation
{
    private const string Reason = "the source has run dry";
    private ByteProducer? _producer;
    private ByteConsumer? _consumer;

    public override string Role => "producer";

    public override string What => "completes, with an error";

    public override string[] Outcomes { get; } =
        ["a channel that waits for the next producer", "a completed channel, and the error, whole"];

    public override void Act() => _producer!.TryComplete(new InvalidOperationException(Reason));

    protected override void SetStage() => _consumer = Channel.CreateConsumer();

    protected override void Prepare()
    {
        _producer = Channel.CreateProducer();
        _producer.Write([1]);
    }

    protected override string Look()
    {
        using ByteConsumer consumer = _consumer!;
        Assert.Equal(1, consumer.Read(Patience).Payload[0]);
        Assert.False(consumer.WaitToRead(TimeSpan.Zero));
        if (!consumer.Completion.IsCompleted)
        {
            using ByteProducer next = Channel.CreateProducer();
            next.Write([2], Patience);
            Assert.Equal(2, consumer.Read(Patience).Payload[0]);
            Assert.True(next.TryComplete());
            Assert.False(consumer.WaitToRead(Patience));
            Assert.True(consumer.Completion.IsCompletedSuccessfully);
            return Outcomes[0];
        }

        ShmRemoteException error = Assert.IsType<ShmRemoteException>(consumer.Completion.Exception?.InnerException);
        Assert.Equal((typeof(InvalidOperationException).FullName, Reason), (error.RemoteTypeName, error.RemoteMessage));
        return Outcomes[1];
    }
}
