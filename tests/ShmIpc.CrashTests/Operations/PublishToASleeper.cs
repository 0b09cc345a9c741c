using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A thread of the test's process sleeps until there is a message. Nobody has to wake it for it to find the message.</summary>
internal class PublishToASleeper : ProducerOperation
{
    private Task<byte[]>? _waiting;

    public override string What => "publishes a message for which a reader sleeps";

    public override bool IsAlone => false; // the sleeper wakes and looks

    public override string[] Outcomes { get; } = ["no trace of it; the reader sleeps on", "the reader has it within its 50 ms"];

    public override void Ready()
    {
        ReadAll();
        _waiting = Task.Factory.StartNew(Wait, TaskCreationOptions.LongRunning);
        Eventually.True(() => Inside.Readers.AnyParked, "the reader sleeps");
    }

    public override void Act() => Producer.TryWrite(Message);

    protected virtual byte[] Wait() => Consumer.Read(Patience).Payload.ToArray();

    protected override string Look()
    {
        using ByteConsumer consumer = Consumer;
        using ByteConsumer observer = Channel.CreateObserver(StartPosition.Earliest);
        bool isThere = observer.Count == Before.Length + 1;
        if (!isThere)
        {
            Assert.False(_waiting!.IsCompleted);
            using ByteProducer next = Channel.CreateProducer();
            next.Write([9], Patience);
        }

        Assert.True(_waiting!.Wait(Soon), "The message is there, and the reader sleeps.");
        Assert.Equal(isThere ? Message : [9], _waiting.Result);
        return Outcomes[isThere ? 1 : 0];
    }
}
