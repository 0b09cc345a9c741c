namespace ShmIpc.Workers;

/// <summary>What runs in a worker.</summary>
internal static class WorkerMain
{
    /// <summary>Runs the body, and returns the exit code.</summary>
    internal static int Run(WorkerLaunch launch) => StaticMethod.Find(launch.Body).CreateDelegate<Func<WorkerLaunch, int>>()(launch);
}
