namespace ShmIpc.Workers;

/// <summary>What a worker process does, until it is told to stop.</summary>
internal interface IWorkerBody
{
    /// <summary>Runs it, and returns the exit code.</summary>
    int Run(WorkerLaunch launch, WorkerSettings settings, WorkerControl control);

    /// <summary>In a fork server: does once what <see cref="Run"/> does, but for what the program's body does, so that what it takes is
    /// compiled and loaded before the workers are forked.</summary>
    void Rehearse(WorkerLaunch launch, WorkerSettings settings);
}
