// How workers come into being: there is one launcher for each start mode, and it knows nothing of jobs and restarts.

namespace ShmIpc.Workers;

internal interface IWorkerLauncher : IAsyncDisposable
{
    /// <summary>How workers are really started; after a fall-back not what was asked for.</summary>
    WorkerStartMode Mode { get; }

    /// <summary>Why <see cref="Mode"/> is not what was asked for; null when it is.</summary>
    string? FallbackReason { get; }

    /// <summary>Starts a worker. It has begun to exist when this returns, and says by itself when it is ready.</summary>
    ValueTask<WorkerProcess> StartAsync(WorkerLaunch launch, CancellationToken cancellationToken);

    /// <summary>Ends the process that forks the workers, and so all of its workers; nothing where there is none.</summary>
    void EndServer();
}
