using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The end of the stream, with an error for the consumers.</summary>
internal class Complete : ProducerOperation
{
    protected static readonly Exception Error = new InvalidOperationException("The sensor fell off.");

    public override string What => "completes with an error";

    public override string[] Outcomes { get; } = [Waits, EndsWith(Error)];

    protected const string Waits = "the consumer waits for another producer";

    protected override byte[][] Published { get; } = [];

    public override void Act() => Producer.TryComplete(Error);

    protected override string Look()
    {
        using ByteConsumer consumer = Consumer;
        ReadAll();
        Assert.False(consumer.WaitToRead(TimeSpan.Zero));
        string outcome = consumer.Completion.Status switch
        {
            TaskStatus.Faulted => EndsWith(consumer.Completion.Exception!.InnerException!),
            TaskStatus.RanToCompletion => "the consumer ends without an error",
            _ => Waits,
        };
        GoOn();
        return outcome;
    }

    protected static string EndsWith(Exception error)
    {
        (string type, string message) = error is ShmRemoteException remote
            ? (remote.RemoteTypeName, remote.RemoteMessage)
            : (error.GetType().FullName!, error.Message);
        return $"the consumer ends with \"{type}: {message}\"";
    }
}
