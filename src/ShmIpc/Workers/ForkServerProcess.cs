// A fork server as its pool sees it; the other end of ForkServer.cs. Everything but the tasks belongs to the launcher's thread.

using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

internal sealed class ForkServerProcess
{
    /// <summary>The index under which the server's own output is handed on.</summary>
    public const int OutputIndex = -1;

    // The pidfd says that a worker has ended; the server, which reaps it, says how. One that is stopped does not hold the news up.
    private static readonly TimeSpan _statusPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _startPatience = TimeSpan.FromSeconds(60);

    private readonly LauncherThread _thread;
    private readonly WorkerRoster _roster;
    private readonly SafeFileHandle _control;
    private readonly WorkerProcess _process;
    private readonly byte[] _buffer = new byte[ForkServer.MaxMessageBytes];
    private readonly Queue<PendingFork> _pending = [];
    private readonly Dictionary<int, WorkerProcess> _workers = [];
    private readonly TaskCompletionSource<string?> _readiness = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ForkServerProcess(LauncherThread thread, WorkerRoster roster, WorkerProcess process, SafeFileHandle control)
    {
        _thread = thread;
        _roster = roster;
        _process = process;
        _control = control;
        process.Dispose(); // when it has ended
        thread.Watch(control, Receive);
        thread.After(_startPatience, () => _readiness.TrySetResult(
            $"The fork server was not ready within {_startPatience}. Is WorkerPool.RunIfWorker(args) the first statement of Main?"));
    }

    /// <summary>Null when the server is ready, or why it cannot serve.</summary>
    public Task<string?> Readiness => _readiness.Task;

    /// <summary>Completes when the server has ended.</summary>
    public Task<WorkerExit> Ended => _process.Exited;

    /// <summary>True when the server can fork no more, whether it has ended yet or is about to.</summary>
    public bool IsOver => _control.IsClosed || Ended.IsCompleted;

    private int ProcessId => _process.ProcessId;

    /// <summary>Starts the program as a fork server.</summary>
    public static ForkServerProcess Start(LauncherThread thread, WorkerRoster roster, WorkerLaunch launch)
    {
        Dictionary<string, string> environment = ForkEnvironment.With();
        environment[WorkerEntry.ServerVariable] = LaunchMessage.Text(LaunchMessage.Write(launch, LinuxProcess.ProcessId()));
        (SafeFileHandle control, SafeFileHandle theirs) = LinuxPipe.CreateSockets();
        try
        {
            WorkerProcess process = roster.StartProgram(OutputIndex, WorkerStartMode.ForkServer, environment, [theirs]);
            return new ForkServerProcess(thread, roster, process, control);
        }
        catch
        {
            control.Dispose();
            throw;
        }
        finally
        {
            theirs.Dispose();
        }
    }

    /// <summary>Takes over a fork server that was forked from this process, and whose output is this process's.</summary>
    public static ForkServerProcess Adopt(LauncherThread thread, WorkerRoster roster, ForkedServer forked)
    {
        WorkerProcess process = new(OutputIndex, forked.ProcessId, forked.ProcessFile, WorkerStartMode.Fork);
        roster.Add(process, [], () => roster.Reap(process));
        return new ForkServerProcess(thread, roster, process, forked.Control);
    }

    /// <summary>Has a worker forked.</summary>
    public Task<WorkerProcess> ForkWorker(WorkerLaunch launch, WorkerStartMode mode)
    {
        byte[] message = [ForkServer.Fork, .. LaunchMessage.Write(launch, ProcessId)];
        if (message.Length > ForkServer.MaxMessageBytes)
        {
            throw new ShmException(
                $"What the worker is told at its start has {message.Length} bytes, and {ForkServer.MaxMessageBytes} are allowed. Put "
                + "what is large into the region.");
        }

        using WorkerStreams streams = new();
        if (_control.IsClosed
            || !LinuxMessage.TrySend(_control, message, [streams.OutputEnd, streams.ErrorsEnd, .. LaunchMessage.Handles(launch)]))
        {
            throw PendingFork.NotStarted(launch.Index, "The fork server has ended.");
        }

        PendingFork pending = new(launch.Index, mode, streams.Keep());
        _pending.Enqueue(pending);
        return pending.Task;
    }

    /// <summary>Ends the server; it does so when nobody can speak to it any more.</summary>
    public void Hang()
    {
        CloseControl();
        _thread.After(_statusPatience, Kill); // it was stopped
    }

    /// <summary>Ends the server at once, also one that is stopped.</summary>
    public void Kill() => _process.Signal(Tmds.Linux.LibC.SIGKILL);

    private void Receive()
    {
        int lengthBytes = LinuxMessage.Receive(_control, _buffer, out SafeFileHandle[] files);
        if (lengthBytes == 0)
        {
            CloseControl();
            return;
        }

        ReadOnlySpan<byte> content = _buffer.AsSpan(1, lengthBytes - 1);
        switch (_buffer[0])
        {
            case ForkServer.Ready:
                if (content.Length > 0)
                {
                    _roster.Say(OutputIndex, Encoding.UTF8.GetString(content));
                }

                _readiness.TrySetResult(null);
                break;
            case ForkServer.Refused:
                _readiness.TrySetResult(Encoding.UTF8.GetString(content));
                break;
            case ForkServer.Started when files.Length == 0:
                LinuxChild.Kill(BinaryPrimitives.ReadInt32LittleEndian(content));
                _pending.Dequeue().Fail(LinuxChild.TooManyFiles("This process"));
                break;
            case ForkServer.Started:
                AddWorker(_pending.Dequeue(), BinaryPrimitives.ReadInt32LittleEndian(content), files[0]);
                break;
            case ForkServer.Failed:
                _pending.Dequeue().Fail(Encoding.UTF8.GetString(content));
                break;
            case ForkServer.Ended when _workers.Remove(BinaryPrimitives.ReadInt32LittleEndian(content), out WorkerProcess? worker):
                _roster.End(worker, WorkerRoster.FromStatus(BinaryPrimitives.ReadInt32LittleEndian(content[sizeof(int)..])));
                break;
        }
    }

    private void AddWorker(PendingFork pending, int processId, SafeFileHandle file)
    {
        WorkerProcess worker = new(pending.Index, processId, file, pending.Mode);
        _workers[processId] = worker;
        _roster.Add(worker, pending.Output, () =>
        {
            if (_control.IsClosed)
            {
                _roster.End(worker, default);
            }
            else
            {
                _thread.After(_statusPatience, () => _roster.End(worker, default));
            }
        });
        pending.Complete(worker);
    }

    private void CloseControl()
    {
        if (_control.IsClosed)
        {
            return;
        }

        _thread.Forget(_control);
        _control.Dispose();
        _readiness.TrySetResult("The fork server ended before it was ready; what it wrote to stderr says why.");
        while (_pending.TryDequeue(out PendingFork? pending))
        {
            pending.Fail("The fork server has ended.");
        }
    }
}
