// Starts workers as the program again: an ordinary process with an environment variable that tells it what to be, the pool's memory as
// descriptors 3, 4 and so on, and nothing else of its parent's.

using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal sealed class SpawnLauncher(Action<int, bool, string> onLine, string? fallbackReason = null) : IWorkerLauncher
{
    private readonly LauncherThread _thread = new();
    private WorkerRoster? _roster;
    private int _isDisposed;

    public WorkerStartMode Mode => WorkerStartMode.Spawn;

    public string? FallbackReason => fallbackReason;

    public ValueTask<WorkerProcess> StartAsync(WorkerLaunch launch, TimeSpan patience, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(_thread.Run(() => Start(launch with { Shared = SharedRegionTable.ToPass() })));
    }

    public async ValueTask DisposeAsync()
    {
        if (Atomics.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        WorkerProcess[] left = await _thread.Run(() => _roster?.KillAll() ?? []).ConfigureAwait(false);
        await Task.WhenAll(left.Select(worker => worker.Exited)).ConfigureAwait(false);
        await _thread.Stop().ConfigureAwait(false);
    }

    private WorkerProcess Start(WorkerLaunch launch)
    {
        Dictionary<string, string> environment = ForkEnvironment.Current();
        environment[WorkerEntry.WorkerVariable] = LaunchMessage.Text(LaunchMessage.Write(launch, LinuxProcess.ProcessId()));
        _roster ??= new WorkerRoster(_thread, onLine);
        return _roster.StartProgram(launch.Index, WorkerStartMode.Spawn, environment, LaunchMessage.Handles(launch));
    }
}
