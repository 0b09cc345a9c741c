// worker-pool probe MODE WORKERS: one start of a pool, for StartUp.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool.Commands;

internal static class ProbeCommand
{
    private const int MillisecondsPerTick = 10; // of the clock in /proc/PID/stat, on every Linux
    private const int ParentField = 1;          // of that file, behind the name of the program
    private const int UserTicksField = 11;      // and the time in the kernel behind it

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
        if (pool.FallbackReason is { } reason)
            throw new ShmException(reason);
        double processor = ProcessorMilliseconds(pool);
        double took = pool.Workers.Average(worker => worker.ReadyAfter!.Value.TotalMilliseconds);
        clock.Restart();
        await pool.RunAsync("job");
        double answered = ready + clock.Elapsed.TotalMilliseconds;
        WorkerMemory memory = WorkerMemory.Of(pool);
        double replaced = workers == 1 ? await ReplaceAsync(pool) : 0;
        Console.WriteLine(new StartUp(ready, answered, took, processor, replaced, memory));
    }

    private static async Task<double> ReplaceAsync(WorkerPool<string, string> pool)
    {
        using var worker = Process.GetProcessById(pool.Workers[0].ProcessId!.Value);
        var clock = Stopwatch.StartNew();
        worker.Kill();
        await pool.RunAsync("job");
        double milliseconds = clock.Elapsed.TotalMilliseconds;
        return pool.Workers[0].Restarts > 0 ? milliseconds : throw new ShmException("The worker answered after its SIGKILL.");
    }

    // This process, the workers, and, where they were forked, the server between.
    private static double ProcessorMilliseconds(WorkerPool pool)
    {
        int[] workers = [.. pool.Workers.Select(worker => worker.ProcessId!.Value)];
        int[] all = [Environment.ProcessId, .. workers, .. workers.Select(worker => Stat(worker, ParentField))];
        return MillisecondsPerTick * all.Distinct().Sum(process => Stat(process, UserTicksField) + Stat(process, UserTicksField + 1));
    }

    private static int Stat(int process, int field) => int.Parse(
        File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1].Split(' ')[field], CultureInfo.InvariantCulture);
}
