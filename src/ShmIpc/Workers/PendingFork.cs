using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Workers;

/// <summary>A worker that a fork server was asked for, and the reading ends of its stdout and stderr.</summary>
internal sealed class PendingFork(int index, WorkerStartMode mode, SafeFileHandle[] output)
{
    private readonly TaskCompletionSource<WorkerProcess> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Index => index;

    public WorkerStartMode Mode => mode;

    public SafeFileHandle[] Output => output;

    public Task<WorkerProcess> Task => _completion.Task;

    public void Complete(WorkerProcess worker) => _completion.SetResult(worker);

    public void Fail(string reason)
    {
        Array.ForEach(output, end => end.Dispose());
        _completion.SetException(NotStarted(index, reason));
    }

    public static ShmException NotStarted(int index, string reason) => new($"Worker {index} was not started. {reason}");
}
