// Starts workers by having a fork server fork them: one that is the program anew (ForkServer), or a copy of the calling process as it was
// when the pool started (Fork). The copy stands between because a pool soon has threads, and with threads nobody can fork; so a worker
// can be replaced at any time, and begins where the pool began.

using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal sealed class ForkingLauncher : IWorkerLauncher
{
    private readonly LauncherThread _thread;
    private readonly WorkerRoster _roster;
    private readonly Func<ForkServerProcess> _startServer;
    private ForkServerProcess _server;
    private int _isDisposed;

    private ForkingLauncher(
        WorkerStartMode mode, LauncherThread thread, WorkerRoster roster, ForkServerProcess server, Func<ForkServerProcess> startServer)
    {
        Mode = mode;
        _thread = thread;
        _roster = roster;
        _server = server;
        _startServer = startServer;
    }

    public WorkerStartMode Mode { get; }

    public string? FallbackReason => null;

    /// <summary>Starts a fork server from the program.</summary>
    /// <returns>The launcher; or null, and why the server cannot serve.</returns>
    public static async Task<(ForkingLauncher? Launcher, string? Reason)> StartServerAsync(
        WorkerLaunch launch, Action<int, bool, string> onLine, CancellationToken cancellation)
    {
        LauncherThread thread = new();
        WorkerRoster roster = new(thread, onLine);
        Func<ForkServerProcess> start = () => ForkServerProcess.Start(thread, roster, launch);
        ForkServerProcess? server = null;
        try
        {
            server = await thread.Run(start).ConfigureAwait(false);
            string? reason = await server.Readiness.WaitAsync(cancellation).ConfigureAwait(false);
            if (reason is null)
            {
                return (new ForkingLauncher(WorkerStartMode.ForkServer, thread, roster, server, start), null);
            }

            await EndAsync(thread, server, isAtOnce: true).ConfigureAwait(false);
            return (null, reason);
        }
        catch
        {
            await EndAsync(thread, server, isAtOnce: true).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Forks the calling process, which becomes the fork server; to be called before it has another thread.</summary>
    /// <exception cref="ShmForkException">The process cannot be forked.</exception>
    public static Task<ForkingLauncher> ForkAsync(
        WorkerLaunch launch, Action<int, bool, string> onLine, CancellationToken cancellation)
    {
        IReadOnlyList<string> reasons = ForkSupport.Check();
        if (reasons.Count > 0)
        {
            throw new ShmForkException(reasons);
        }

        ForkedServer forked = ForkedServer.Fork(launch); // threads from here on only
        return FinishAsync(forked, onLine, cancellation);
    }

    public async ValueTask<WorkerProcess> StartAsync(WorkerLaunch launch, TimeSpan patience, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        launch = launch with { Shared = SharedRegionTable.ToPass() };

        // One that has died is started anew. Each launch ends the server that it has asked, and no other: its successor may be at work.
        // It does so itself, because the thread may be waiting for the server too, with a long launch to send.
        ForkServerProcess server = await _thread.Run(() => _server.IsOver ? _server = _startServer() : _server).ConfigureAwait(false);
        using CancellationTokenSource late = new(patience);
        using CancellationTokenRegistration ending = late.Token.UnsafeRegister(_ => server.Kill(), null);
        try
        {
            return await ForkAsync(server, launch, cancellationToken).ConfigureAwait(false);
        }
        catch (ShmException error) when (late.IsCancellationRequested)
        {
            throw new ShmException($"No worker could be forked within {patience} (StartTimeout), so the fork server was ended.", error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Atomics.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        WorkerProcess[] left = await _thread.Run(_roster.KillAll).ConfigureAwait(false);
        await Task.WhenAll(left.Select(worker => worker.Exited)).ConfigureAwait(false);
        await EndAsync(_thread, _server, isAtOnce: false).ConfigureAwait(false);
    }

    private static async Task<ForkingLauncher> FinishAsync(
        ForkedServer forked, Action<int, bool, string> onLine, CancellationToken cancellation)
    {
        LauncherThread thread;
        try
        {
            thread = new LauncherThread();
        }
        catch
        {
            forked.End();
            throw;
        }

        WorkerRoster roster = new(thread, onLine);
        ForkServerProcess server = await thread.Run(() => ForkServerProcess.Adopt(thread, roster, forked)).ConfigureAwait(false);
        try
        {
            string? reason = await server.Readiness.WaitAsync(cancellation).ConfigureAwait(false);
            return reason is null
                ? new ForkingLauncher(WorkerStartMode.Fork, thread, roster, server, () => throw new ShmException(
                    "The process that the workers were forked from has ended, and this process has changed since: workers cannot be forked "
                    + "any more. Start the pool anew, from a process that can be forked."))
                : throw new ShmForkException([reason]);
        }
        catch
        {
            await EndAsync(thread, server, isAtOnce: true).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task EndAsync(LauncherThread thread, ForkServerProcess? server, bool isAtOnce)
    {
        if (server is not null)
        {
            thread.Post(server.Hang);
            if (isAtOnce)
            {
                server.Kill();
            }

            await server.Ended.ConfigureAwait(false);
        }

        await thread.Stop().ConfigureAwait(false);
    }

    private async Task<WorkerProcess> ForkAsync(ForkServerProcess server, WorkerLaunch launch, CancellationToken cancellation)
    {
        if (await server.Readiness.WaitAsync(cancellation).ConfigureAwait(false) is { } reason)
        {
            throw new ShmException($"The fork server cannot serve. {reason}");
        }

        Task<WorkerProcess> started = await _thread.Run(() => server.ForkWorker(launch, Mode)).ConfigureAwait(false);
        return await started.ConfigureAwait(false); // not cancelled: a worker that nobody knows would be left
    }
}
