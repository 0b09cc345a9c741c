// A worker as its pool sees it: a process that is known by a pidfd, which cannot come to mean another process, as an id can.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

internal sealed class WorkerProcess : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<WorkerExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _hasEnded;
    private bool _isForgotten;

    public WorkerProcess(int index, int processId, SafeFileHandle processFile, WorkerStartMode mode)
    {
        Index = index;
        ProcessId = processId;
        ProcessFile = processFile;
        Mode = mode;
    }

    public int Index { get; }

    public int ProcessId { get; }

    public WorkerStartMode Mode { get; }

    /// <summary>Completes when the process has ended, whoever ended it.</summary>
    public Task<WorkerExit> Exited => _exited.Task;

    /// <summary>The pidfd: readable when the process has ended.</summary>
    internal SafeFileHandle ProcessFile { get; }

    /// <summary>Sends a signal; nothing when the process has ended.</summary>
    /// <returns>Why the kernel refuses, as it does when the process, or this one, has become another user's; else null.</returns>
    public string? Signal(int signal)
    {
        try
        {
            if (!Exited.IsCompleted)
            {
                LinuxChild.TrySignal(ProcessFile, signal);
            }
        }
        catch (ObjectDisposedException)
        {
            // it has ended just now
        }
        catch (Exception error) when (error is UnauthorizedAccessException or ShmException)
        {
            return error.Message;
        }

        return null;
    }

    /// <summary>Lets go of the process, and does not end it: the launcher listens to it until it has ended.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isForgotten = true;
            DisposeIfOver();
        }
    }

    internal void SetExited(WorkerExit exit)
    {
        lock (_lock)
        {
            _hasEnded = true;
            DisposeIfOver();
        }

        _exited.TrySetResult(exit);
    }

    private void DisposeIfOver()
    {
        if (_hasEnded && _isForgotten)
        {
            ProcessFile.Dispose();
        }
    }
}
