namespace ShmIpc.Workers;

#pragma warning disable CA1001 // a source without a timer needs no disposal, and it may be cancelled while its job ends
/// <summary>The job that a worker has in hand, and its cancellation.</summary>
internal sealed class RunningJob(ulong number)
{
    private readonly CancellationTokenSource _cancellation = new();

    public ulong Number { get; } = number;

    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>Cancels it. What the body has registered runs on another thread.</summary>
    public void Cancel() => _ = _cancellation.CancelAsync();
}
