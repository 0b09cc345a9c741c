namespace ShmIpc.Tests;

/// <summary>Runs what spins or blocks on a thread of its own: the thread pool of a small machine has no threads to spare for it.</summary>
internal static class OwnThread
{
    public static Task Run(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public static Task<T> Run<T>(Func<T> function) =>
        Task.Factory.StartNew(function, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
