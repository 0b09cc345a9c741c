// How workers come into being: there is one launcher for each start mode, and it knows nothing of jobs and restarts.

namespace ShmIpc.Workers;

internal interface IWorkerLauncher : IAsyncDisposable
{
    /// <summary>How workers are really started; after a fall-back not what was asked for.</summary>
    WorkerStartMode Mode { get; }

    /// <summary>Why <see cref="Mode"/> is not what was asked for; null when it is.</summary>
    string? FallbackReason { get; }

    /// <summary>Starts a worker. It has begun to exist when this returns, and says by itself when it is ready.</summary>
    /// <param name="launch">What the worker is told.</param>
    /// <param name="patience">How long a fork server may take for it, from when it is asked: then that server is ended, and its workers
    /// with it. One that has come in its place meanwhile is not.</param>
    /// <param name="cancellationToken">Ends the wait for a server that is not ready yet.</param>
    ValueTask<WorkerProcess> StartAsync(WorkerLaunch launch, TimeSpan patience, CancellationToken cancellationToken);
}
