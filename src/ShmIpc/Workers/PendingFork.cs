using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Workers;

/// <summary>A worker that a fork server was asked for, and the reading ends of its output.</summary>
internal sealed class PendingFork(int index, WorkerStartMode mode, SafeFileHandle output, SafeFileHandle errors)
{
    private readonly TaskCompletionSource<WorkerProcess> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Index => index;

    public WorkerStartMode Mode => mode;

    public SafeFileHandle Output => output;

    public SafeFileHandle Errors => errors;

    public Task<WorkerProcess> Task => _completion.Task;

    public void Complete(WorkerProcess worker) => _completion.SetResult(worker);

    public void Fail(string reason)
    {
        output.Dispose();
        errors.Dispose();
        _completion.SetException(new ShmException($"Worker {index} was not started. {reason}"));
    }
}
