// The processes that a launcher has started and that have not ended, with their output. Belongs to the launcher's thread.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using Tmds.Linux;

namespace ShmIpc.Workers;

internal sealed class WorkerRoster(LauncherThread thread, Action<int, bool, string> onLine)
{
    private readonly Dictionary<WorkerProcess, OutputPipe[]> _living = [];

    /// <summary>Starts this program again, as a child of this process, and listens to it.</summary>
    public WorkerProcess StartProgram(
        int index, WorkerStartMode mode, Dictionary<string, string> environment, IReadOnlyList<SafeFileHandle> passed)
    {
        ProgramCommand program = ProgramCommand.OfThisProcess();
        using WorkerStreams streams = new();
        int processId = LinuxProgram.Start(program.Path, program.Arguments, environment, streams.OutputEnd, streams.ErrorsEnd, passed);
        SafeFileHandle? file = LinuxChild.OpenOrKill(processId);
        WorkerProcess worker = new(index, processId, file ?? new SafeFileHandle(), mode);
        if (file is null) // SIGCHLD is ignored, and it has ended already
        {
            worker.SetExited(default);
        }
        else
        {
            Add(worker, streams.Keep(), () => Reap(worker));
        }

        return worker;
    }

    /// <summary>Hands on lines as if that worker had written them to stderr.</summary>
    public void Say(int index, string text)
    {
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            onLine(index, true, line);
        }
    }

    /// <summary>Listens to a process until it has ended.</summary>
    /// <param name="worker">The process.</param>
    /// <param name="output">The reading ends of its stdout and stderr, in this order, or none.</param>
    /// <param name="onEnded">Called when the process has ended; leads to <see cref="End"/>.</param>
    public void Add(WorkerProcess worker, SafeFileHandle[] output, Action onEnded)
    {
        OutputPipe[] pipes = [.. output.Select((end, number) => new OutputPipe(end, worker.Index, isError: number == 1, onLine))];
        _living.Add(worker, pipes);
        foreach (OutputPipe pipe in pipes)
        {
            thread.Watch(pipe.Handle, () => Pump(pipe));
        }

        thread.Watch(worker.ProcessFile, () =>
        {
            thread.Forget(worker.ProcessFile); // it stays readable
            onEnded();
        });
    }

    /// <summary>Takes the status of a child of this process that has ended. Nobody has it when SIGCHLD is ignored, or when the runtime
    /// reaped the child, as it does as process 1.</summary>
    public void Reap(WorkerProcess worker) =>
        End(worker, LinuxChild.TryReap(worker.ProcessId, out int status) ? FromStatus(status) : default);

    /// <summary>Hands on what the process wrote last, and says that it has ended.</summary>
    public void End(WorkerProcess worker, WorkerExit exit)
    {
        if (!_living.Remove(worker, out OutputPipe[]? pipes))
        {
            return;
        }

        thread.Forget(worker.ProcessFile);
        foreach (OutputPipe pipe in pipes.Where(pipe => !pipe.Handle.IsClosed))
        {
            _ = pipe.Pump();
            Close(pipe);
        }

        worker.SetExited(exit);
    }

    /// <summary>Kills every worker that is left.</summary>
    public WorkerProcess[] KillAll()
    {
        WorkerProcess[] left = [.. _living.Keys.Where(worker => worker.Index >= 0)];
        foreach (WorkerProcess worker in left)
        {
            worker.Signal(LibC.SIGKILL);
        }

        return left;
    }

    /// <summary>What a wait status says, as C has it.</summary>
    public static WorkerExit FromStatus(int status) =>
        (status & 0x7F) == 0 ? new WorkerExit(status >> 8 & 0xFF, null) : new WorkerExit(null, status & 0x7F);

    private void Pump(OutputPipe pipe)
    {
        if (!pipe.Pump())
        {
            Close(pipe);
        }
    }

    private void Close(OutputPipe pipe)
    {
        thread.Forget(pipe.Handle);
        pipe.Dispose();
    }
}
