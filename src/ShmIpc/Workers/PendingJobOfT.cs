namespace ShmIpc.Workers;

/// <summary>A job that somebody awaits the result of.</summary>
internal sealed class PendingJob<TResult> : PendingJob
{
    private readonly TaskCompletionSource<TResult> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TResult> Result => _source.Task;

    public void Complete(TResult result) => _source.TrySetResult(result);

    public override void Fail(Exception error) => _source.TrySetException(error);

    public override void Cancel(CancellationToken cancellationToken) => _source.TrySetCanceled(cancellationToken);
}
