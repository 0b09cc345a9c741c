// worker-pool probe MODE: one start of a pool, in a program of its own, for `table`: a process can be forked by one pool only.
using System.CommandLine;
using System.Diagnostics;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool.Commands;

internal static class ProbeCommand
{
    public static Command Create()
    {
        var mode = new Argument<string>("MODE") { Description = "spawn, fork-server or fork" };
        mode.AcceptOnlyFromAmong(PoolSettings.Modes);
        var workers = new Argument<int>("WORKERS") { Description = "How many" };
        var command = new Command("probe", "Starts a pool and says what that cost") { mode, workers };
        command.Hidden = true;
        command.SetAction(parsed => RunAsync(
            PoolSettings.Parse(parsed.GetRequiredValue(mode)), parsed.GetRequiredValue(workers)).GetAwaiter().GetResult());
        return command;
    }

    public static string Echo(string text, WorkerContext context) => text;

    private static void Preload() => Echo("", null!);

    private static async Task RunAsync(WorkerStartMode mode, int workers)
    {
        WorkerPoolOptions options = new()
        {
            StartMode = mode,
            Workers = workers,
            Preload = mode == WorkerStartMode.ForkServer ? Preload : null,
        };
        var clock = Stopwatch.StartNew();
        await using var pool = await WorkerPool.StartAsync<string, string>(Echo, options);
        double ready = clock.Elapsed.TotalMilliseconds;
        await pool.RunAsync("job");
        double answered = clock.Elapsed.TotalMilliseconds;
        if (pool.FallbackReason is { } reason)
            throw new ShmException(reason);
        IReadOnlyList<WorkerStatus> all = pool.Workers;
        Console.WriteLine(FormattableString.Invariant(
            $"{ready} {answered} {all.Average(worker => worker.ReadyAfter!.Value.TotalMilliseconds)} ")
            + FormattableString.Invariant($"{all.Average(worker => worker.MemoryBytes)} {all.Average(worker => worker.PrivateBytes)}"));
    }
}
