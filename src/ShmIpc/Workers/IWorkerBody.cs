namespace ShmIpc.Workers;

/// <summary>What a worker process does, until it is told to stop.</summary>
internal interface IWorkerBody
{
    /// <summary>Runs it, and returns the exit code.</summary>
    int Run(WorkerLaunch launch, WorkerSettings settings, WorkerControl control);
}
