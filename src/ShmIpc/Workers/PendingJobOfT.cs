namespace ShmIpc.Workers;

/// <summary>A job that somebody awaits the result of. Whoever has taken it out of the ledger answers it, and nobody else: a second answer
/// throws.</summary>
internal sealed class PendingJob<TResult> : PendingJob
{
    private readonly TaskCompletionSource<TResult> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TResult> Result => _source.Task;

    public void Complete(TResult result) => _source.SetResult(result);

    public override void Fail(Exception error) => _source.SetException(error);

    public override void Cancel(CancellationToken cancellationToken) => _source.SetCanceled(cancellationToken);
}
