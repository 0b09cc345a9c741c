// A launcher with what its workers wrote, by index.

using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

internal sealed class TestLauncher : IAsyncDisposable
{
    private readonly ConcurrentQueue<(int Index, bool IsError, string Line)> _lines = new();

    private TestLauncher()
    {
    }

    public IWorkerLauncher Launcher { get; private set; } = null!;

    public static async Task<TestLauncher> CreateAsync(WorkerStartMode mode, Action? preload = null)
    {
        TestLauncher created = new();
        created.Launcher = await WorkerLauncher.CreateAsync(
            mode, preload, (index, isError, line) => created._lines.Enqueue((index, isError, line)), CancellationToken.None)
            .AsTask().WaitAsync(ChildProcess.Patience);
        return created;
    }

    public static WorkerLaunch Launch(
        Func<WorkerLaunch, int> body,
        int index = 0,
        SafeFileHandle? region = null,
        IReadOnlyList<SafeFileHandle>? more = null,
        params (string Key, string Value)[] settings) =>
        new(index, 0, "", "region", region, settings.ToDictionary(setting => setting.Key, setting => setting.Value))
        {
            Entry = Bodies.Entry(body),
            MoreRegions = more ?? [],
        };

    public Task<WorkerProcess> StartAsync(WorkerLaunch launch) =>
        Launcher.StartAsync(launch, ChildProcess.Patience, CancellationToken.None).AsTask().WaitAsync(ChildProcess.Patience);

    /// <summary>Starts a worker and returns how it ended.</summary>
    public async Task<WorkerExit> RunAsync(WorkerLaunch launch)
    {
        using WorkerProcess worker = await StartAsync(launch);
        return await worker.Exited.WaitAsync(ChildProcess.Patience);
    }

    /// <summary>Starts a worker and waits until it has said something.</summary>
    public async Task<WorkerProcess> StartReadyAsync(WorkerLaunch launch)
    {
        int before = Lines(launch.Index).Count;
        WorkerProcess worker = await StartAsync(launch);
        Eventually.True(
            () => Lines(launch.Index).Count > before,
            () => $"worker {launch.Index} says something; it {(worker.Exited.IsCompleted ? $"ended with {worker.Exited.Result}" : "lives")}: "
                + string.Join('\n', Lines(launch.Index, isError: true)));
        return worker;
    }

    public List<string> Lines(int index, bool isError = false) =>
        [.. _lines.Where(line => line.Index == index && line.IsError == isError).Select(line => line.Line)];

    public ValueTask DisposeAsync() => Launcher.DisposeAsync();
}
