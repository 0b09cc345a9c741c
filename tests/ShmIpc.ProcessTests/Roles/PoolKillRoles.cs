// Pools whose workers are killed while jobs run. They have a process of their own, because a process that is to fork its workers must have
// no threads. Each says what it saw in one line, and ends with an exception when a promise of the pool was broken.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Roles;

internal static class PoolKillRoles
{
    private const int Workers = 4;
    private const int Clients = 32;
    private const int MostRounds = 500; // the jobs go on while the killer has not done, but not for ever
    private const int FilesOfChance = 8; // the runtime's own
    private const int JobsOfALife = 3; // nobody is killed before it has shown that it works, so no job meets its killer again and again
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(10); // a worker that is late because the machine is busy is not dead
    private static readonly WorkerExit _killed = new(null, Linux.SIGKILL);

    /// <summary>Kills workers that are at work, one at a time and at random, and wants every job's right result, once.</summary>
    public static void AtWork(RoleArguments arguments)
    {
        Become(arguments);
        AtWorkAsync(arguments).GetAwaiter().GetResult();
        PoolLeftovers.ExpectNone();
        RoleArguments.Say("alone");
    }

    /// <summary>Kills the one worker of a pool at any instant of its life, also while it starts. Where each place among the lanes and the
    /// participants is there once, one that is not given back ends the pool.</summary>
    public static void AtAnyTime(RoleArguments arguments)
    {
        Become(arguments);
        AtAnyTimeAsync(arguments).GetAwaiter().GetResult();
        PoolLeftovers.ExpectNone();
        RoleArguments.Say("alone");
    }

    /// <summary>Before anything else, because nothing may have a thread.</summary>
    public static void Become(RoleArguments arguments)
    {
        if (Mode(arguments) == WorkerStartMode.Fork)
        {
            ForkSupport.EnsureForkable([]);
        }
    }

    public static WorkerStartMode Mode(RoleArguments arguments) => Enum.Parse<WorkerStartMode>(arguments.Text("mode"));

    private static async Task AtWorkAsync(RoleArguments arguments)
    {
        int jobs = (int)arguments.Number("jobs");
        WorkerPoolOptions options = Options(arguments, Workers) with { MaxJobsInFlight = 2 * Clients };
        await using WorkerPool<int, long[]> pool = await WorkerPool.StartAsync<int, long[]>(PoolBodies.Square, options);
        RoleArguments.Say($"ready {pool.StartMode}");
        using CancellationTokenSource done = new();
        Task<int[]> killer = Task.Run(() => KillAsync(
            pool, new Random((int)arguments.Number("seed")), (int)arguments.Number("kills"), done.Token));
        byte[] answers = new byte[MostRounds * jobs];
        int next = 0;
        int again = 0;
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) - 1 is int job && job < answers.Length && (job < jobs || !killer.IsCompleted))
            {
                long[] result = await pool.RunAsync(job).WaitAsync(_patience); // throws where a job was given up
                Require(result[0] == (long)job * job, $"job {job} got {result[0]}");
                answers[job]++;
                _ = result[2] > 1 ? Interlocked.Increment(ref again) : 0;
            }
        }))];
        try
        {
            await Task.WhenAll(clients);
        }
        finally
        {
            await done.CancelAsync();
        }

        int[] kills = await killer;
        int answered = answers.Count(count => count == 1);
        Require(answered >= jobs && answers.Take(answered).All(count => count == 1), "every job is answered once");
        Require(kills.Sum() == arguments.Number("kills"), $"all kills fall among the jobs, and not only {kills.Sum()} of them");
        Require(pool.Core.Jobs!.Count == 0, "no job is left in the ledger");
        Eventually.True(
            () => pool.Workers.Select(worker => worker.Restarts).SequenceEqual(kills) && pool.Workers.All(worker => worker.State == WorkerState.Idle),
            () => $"those that were killed ({string.Join(", ", kills)}) are replaced, and nobody else: {string.Join(", ", pool.Workers)}",
            _patience);
        RoleArguments.Say($"done {answered} {kills.Sum()} {again}");
    }

    /// <summary>Kills until it has killed as many, and says how many of each place.</summary>
    private static async Task<int[]> KillAsync(WorkerPool<int, long[]> pool, Random random, int kills, CancellationToken done)
    {
        int[] killed = new int[Workers];
        long?[] doneBefore = new long?[Workers]; // by the present process's predecessors
        while (killed.Sum() < kills && !done.IsCancellationRequested)
        {
            await Task.Delay(random.Next(5, 60), CancellationToken.None);
            IReadOnlyList<WorkerStatus> workers = pool.Workers;
            bool[] isAtWork = new bool[Workers];
            foreach (WorkerStatus worker in workers)
            {
                bool isReady = worker.Restarts == killed[worker.Index] && worker.State is WorkerState.Idle or WorkerState.Busy;
                doneBefore[worker.Index] = isReady ? doneBefore[worker.Index] ?? worker.JobsDone : null;
                isAtWork[worker.Index] = isReady && worker.JobsDone - doneBefore[worker.Index] >= JobsOfALife;
            }

            // Every other one has a job in its hand, also where the machine is busy and most of them wait for one.
            int victim = random.Next(Workers);
            bool isDue = isAtWork[victim] && (killed.Sum() % 2 == 0 || workers[victim].State == WorkerState.Busy);
            if (isDue && isAtWork.Count(atWork => atWork) > Workers / 2 && workers[victim].ProcessId is { } process)
            {
                killed[victim]++;
                Linux.Signal(process, Linux.SIGKILL);
                if (killed.Sum() % 100 == 0)
                {
                    Console.Error.WriteLine($"{killed.Sum()} kills"); // for who looks at a long run
                }
            }
        }

        return killed;
    }

    private static async Task AtAnyTimeAsync(RoleArguments arguments)
    {
        const int Deaths = 3;
        WorkerPoolOptions options = Options(arguments, 1) with { MaxDeliveries = Deaths, MaxJobsInFlight = 4 };
        await using WorkerPool<int, long[]> pool = await WorkerPool.StartAsync<int, long[]>(PoolBodies.Square, options);
        RoleArguments.Say($"ready {pool.StartMode}");
        Require((await pool.RunAsync(1))[0] == 1, "the first worker works");
        int server = Linux.ParentOf(pool.Workers[0].ProcessId!.Value); // this process itself, or one that forks
        int[] filesBefore = Files(server);
        Random random = new((int)arguments.Number("seed"));
        int kills = (int)arguments.Number("kills");
        Task killer = Task.Run(() => KillOneAfterTheOther(pool, random, kills));
        int answered = 0;
        int givenUp = 0;
        for (int job = 0; !killer.IsCompleted; job++)
        {
            try
            {
                long[] result = await pool.RunAsync(job).WaitAsync(_patience);
                Require(result[0] == (long)job * job, $"job {job} got {result[0]}");
                answered++;
            }
            catch (WorkerJobException error)
            {
                WorkerExit[] exits = pool.StartMode == WorkerStartMode.Spawn ? [_killed] : [_killed, default]; // a slow fork server says it late
                Require(error.Deaths == Deaths && exits.Contains(error.Exit!.Value), $"{error.Message} {error.Deaths} deaths");
                givenUp++;
            }
        }

        await killer;
        Require(pool.Core.Jobs!.Count == 0, "no job is left in the ledger");
        for (int job = 0; job < 2 * Clients; job++)
        {
            Require((await pool.RunAsync(job).WaitAsync(_patience))[0] == (long)job * job, "the last worker works");
        }

        Require(pool.Workers[0].Restarts == kills, $"{pool.Workers[0].Restarts} restarts after {kills} kills");
        Eventually.True(
            () => Files(server).Zip(filesBefore).All(files => files.First <= files.Second + FilesOfChance),
            () => $"descriptors are given back: {string.Join(", ", Files(server))} after {string.Join(", ", filesBefore)}");
        RoleArguments.Say($"done {answered} {kills} {givenUp}");
    }

    /// <summary>Every second worker lives until it is ready, and a little longer, so that jobs are done on a slow machine, too.</summary>
    private static void KillOneAfterTheOther(WorkerPool<int, long[]> pool, Random random, int kills)
    {
        TimeSpan start = TimeSpan.FromMilliseconds(100);
        int last = 0;
        for (int i = 0; i < kills; i++)
        {
            int process = 0;
            Eventually.True(() => (process = pool.Workers[0].ProcessId ?? last) != last, $"there is a worker again after {i} kills", _patience);
            long begin = Stopwatch.GetTimestamp();
            if (i % 2 == 0)
            {
                Eventually.True(() => pool.Workers[0].State is WorkerState.Idle or WorkerState.Busy, "it is ready", _patience);
                start = Stopwatch.GetElapsedTime(begin);
                Thread.Sleep(start * random.NextDouble() / 2);
            }
            else
            {
                Thread.Sleep(start * random.NextDouble() * 1.5);
            }

            Linux.Signal(process, Linux.SIGKILL);
            last = process;
            if (i % 100 == 99)
            {
                Console.Error.WriteLine($"{i + 1} kills"); // for who looks at a long run
            }
        }
    }

    private static int[] Files(int server) => [Linux.OpenFiles(Environment.ProcessId).Count, Linux.OpenFiles(server).Count];

    private static WorkerPoolOptions Options(RoleArguments arguments, int workers) => new()
    {
        Workers = workers,
        StartMode = Mode(arguments),
        MaxDeliveries = WorkerPoolOptions.MostDeliveries,
        StartTimeout = _patience,
        RestartDelay = TimeSpan.FromMilliseconds(1),
        MaxRestartDelay = TimeSpan.FromMilliseconds(1),
        CrashLoopLimit = int.MaxValue,
        OnOutput = line => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"worker {line.Worker}: {line.Line}")),
        OnNotice = text => _ = text.Contains("was ended by signal 9.", StringComparison.Ordinal) ? text : Complain(text),
    };

    private static string Complain(string text)
    {
        Console.Error.WriteLine($"pool: {text}");
        return text;
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"Broken: {what}.");
        }
    }
}
