namespace ShmIpc.Hosting;

/// <summary>How one hosted consumer behaves.</summary>
/// <remarks>Whatever the options say, a message that cannot be decoded is logged with its position and skipped, and a deleted channel or
/// damaged shared memory fails the consumer, which stops the host.</remarks>
public sealed class ShmConsumerOptions
{
    /// <summary>What happens when the handler throws. Default: <see cref="HandlerErrorBehavior.Stop"/>, which stops the host.</summary>
    public HandlerErrorBehavior OnHandlerError { get; set; } = HandlerErrorBehavior.Stop;

    /// <summary>Whether the consumer ends when its producers have completed the channel and everything is read. Default: false, it stays
    /// for producers to come. The host goes on without it; but when a producer completed with an error, the consumer fails with that error
    /// (<see cref="ShmRemoteException"/>), and the host stops, so that nobody takes a broken-off stream for a whole one.</summary>
    public bool StopOnCompletion { get; set; }
}
