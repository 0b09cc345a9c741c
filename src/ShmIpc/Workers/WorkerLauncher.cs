// Chooses how workers are started.

using ShmIpc.Interop;

namespace ShmIpc.Workers;

internal static class WorkerLauncher
{
    /// <summary>Makes the launcher for a start mode. With <see cref="WorkerStartMode.Fork"/> the calling process is forked before this
    /// returns its task, and so before any thread is started.</summary>
    /// <param name="mode">What is asked for.</param>
    /// <param name="preload">Runs in the fork server before it forks; a static method that leaves no thread behind, or null.</param>
    /// <param name="onLine">Gets each line that a worker writes: its index, true for stderr, the text; index -1 is the fork server. Called
    /// on the launcher's thread, one at a time: it must neither block nor throw.</param>
    /// <param name="cancellation">Ends the wait for a fork server.</param>
    /// <param name="rehearsal">What a fork server is to rehearse: the launch of a worker, without its memory. Null: nothing.</param>
    /// <exception cref="InvalidOperationException">Main does not begin with <c>WorkerPool.RunIfWorker(args)</c>.</exception>
    /// <exception cref="ShmForkException">The calling process cannot be forked.</exception>
    public static ValueTask<IWorkerLauncher> CreateAsync(
        WorkerStartMode mode,
        Action? preload,
        Action<int, bool, string> onLine,
        CancellationToken cancellation,
        WorkerLaunch? rehearsal = null)
    {
        LinuxPlatform.Require();
        WorkerLaunch server = (rehearsal ?? new WorkerLaunch(0, 0, "", "", null, new Dictionary<string, string>())) with
        {
            Preload = preload is null ? null : StaticMethod.NameOf(preload),
        };
        if (mode != WorkerStartMode.Fork && !WorkerEntry.HasRun)
        {
            throw new InvalidOperationException(
                "Main does not begin with WorkerPool.RunIfWorker(args). Workers are this program, started again: without it, each of them "
                + "would do what the program does.");
        }

        return mode switch
        {
            WorkerStartMode.Spawn => new(new SpawnLauncher(onLine)),
            WorkerStartMode.ForkServer => StartServerAsync(server, onLine, cancellation),
            WorkerStartMode.Fork => ForkAsync(ForkingLauncher.ForkAsync(server, onLine, cancellation)),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "The start mode must be Spawn, ForkServer or Fork."),
        };
    }

    private static async ValueTask<IWorkerLauncher> StartServerAsync(
        WorkerLaunch server, Action<int, bool, string> onLine, CancellationToken cancellation)
    {
        string? reason = LinuxChild.HasFork ? null : "The C library has no _Fork: glibc 2.34 or later is needed.";
        if (reason is null)
        {
            (ForkingLauncher? launcher, reason) =
                await ForkingLauncher.StartServerAsync(server, onLine, cancellation).ConfigureAwait(false);
            if (launcher is not null)
            {
                return launcher;
            }
        }

        return new SpawnLauncher(onLine, $"Workers are spawned, because no fork server could be had. {reason}");
    }

    private static async ValueTask<IWorkerLauncher> ForkAsync(Task<ForkingLauncher> launcher) => await launcher.ConfigureAwait(false);
}
