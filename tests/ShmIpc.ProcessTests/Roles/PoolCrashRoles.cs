// Pools whose workers crash in every way, and whose fork server is killed. They have a process of their own, which must come through
// unharmed.

using System.Text;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Roles;

internal static class PoolCrashRoles
{
    /// <summary>Has workers run the jobs that the test names, and says how each ended: "crashed deaths/code/signal" or "failed type" or
    /// "result ...".</summary>
    public static void Crashes(RoleArguments arguments)
    {
        PoolKillRoles.Become(arguments);
        WorkerPoolOptions options = new()
        {
            Workers = 2,
            StartMode = PoolKillRoles.Mode(arguments),
            MaxDeliveries = 1,
            RestartDelay = TimeSpan.FromMilliseconds(1),
            StartTimeout = ChildProcess.Patience,
            OnOutput = line => Console.Error.WriteLine(line.Line),
        };
        WorkerPool<string, string> pool = WorkerPool.StartAsync<string, string>(PoolBodies.Do, options).GetAwaiter().GetResult();
        RoleArguments.Say($"ready {pool.StartMode}");
        int crashes = 0;
        while (Console.In.ReadLine() is { } job && job != "end")
        {
            try
            {
                RoleArguments.Say($"result {pool.RunAsync(job).WaitAsync(ChildProcess.Patience).GetAwaiter().GetResult()}");
            }
            catch (WorkerJobException error) when (error.Deaths > 0)
            {
                crashes++;
                RoleArguments.Say($"crashed {error.Deaths}/{error.Exit?.ExitCode}/{error.Exit?.Signal}");
            }
            catch (WorkerJobException error)
            {
                RoleArguments.Say($"failed {error.RemoteTypeName}");
            }
        }

        Eventually.True(() => pool.Workers.Sum(worker => worker.Restarts) >= crashes, "whoever crashed is replaced");
        pool.DisposeAsync().AsTask().GetAwaiter().GetResult();
        PoolLeftovers.ExpectNone();
        RoleArguments.Say($"alone {pool.Workers.Sum(worker => worker.Restarts)}");
    }

    /// <summary>Kills the fork server while jobs run. One that is a copy of this process cannot be had again, so the pool gives up.</summary>
    public static void Server(RoleArguments arguments)
    {
        PoolKillRoles.Become(arguments);
        ServerAsync(arguments).GetAwaiter().GetResult();
        PoolLeftovers.ExpectNone();
        RoleArguments.Say("alone");
    }

    /// <summary>The copy that is to be the fork server fails before it serves: nobody but this process may say what came of it.</summary>
    public static void Copy(RoleArguments arguments)
    {
        PoolKillRoles.Become(arguments);
        string came;
        try
        {
            WorkerPoolOptions options = new()
            {
                Workers = 1,
                StartMode = PoolKillRoles.Mode(arguments),
                StartTimeout = ChildProcess.Patience,
                Preload = RehearsalBodies.PreloadThatForbidsFiles,
            };
            WorkerPool<string, string> pool = WorkerPool.StartAsync<string, string>(PoolBodies.Do, options).GetAwaiter().GetResult();
            pool.DisposeAsync().AsTask().GetAwaiter().GetResult();
            came = $"{pool.StartMode}";
        }
        catch (Exception error)
        {
            came = $"{error.GetType().Name} {error.Message.ReplaceLineEndings(" ")}";
        }

        Linux.WriteRaw(Encoding.UTF8.GetBytes($"came {came}\n")); // one that may open nothing can say that
    }

    /// <summary>Becomes another user when it has started its pool, so that it may send its workers no signal any more.</summary>
    public static void Powerless(RoleArguments arguments) => PowerlessAsync().GetAwaiter().GetResult();

    private static async Task PowerlessAsync()
    {
        WorkerPoolOptions options = new()
        {
            Workers = 1,
            StartTimeout = ChildProcess.Patience,
            StopTimeout = TimeSpan.FromSeconds(1),
            JobTimeout = TimeSpan.FromSeconds(1),
            OnNotice = text => RoleArguments.Say($"notice {text.ReplaceLineEndings(" ")}"),
        };
        WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options);
        Linux.BecomeUser(Users.First, Users.Group);
        RoleArguments.Say($"ready {pool.Workers[0].ProcessId}");
        try
        {
            RoleArguments.Say($"result {await pool.RunAsync("nap 6000")}");
        }
        catch (TimeoutException error)
        {
            RoleArguments.Say($"late {error.Message.ReplaceLineEndings(" ")}");
        }

        await pool.DisposeAsync();
        RoleArguments.Say("stopped");
    }

    private static async Task ServerAsync(RoleArguments arguments)
    {
        WorkerPoolOptions options = new()
        {
            Workers = 2,
            StartMode = PoolKillRoles.Mode(arguments),
            RestartDelay = TimeSpan.FromMilliseconds(1),
            StartTimeout = ChildProcess.Patience,
            OnOutput = line => Console.Error.WriteLine(line.Line),
        };
        await using WorkerPool<int, long[]> pool = await WorkerPool.StartAsync<int, long[]>(PoolBodies.Square, options);
        RoleArguments.Say($"ready {pool.StartMode}");
        int server = Linux.ParentOf(pool.Workers[0].ProcessId!.Value);
        const int Jobs = 400;
        TaskCompletionSource killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] jobs = [.. Enumerable.Range(0, Jobs).Select(async job =>
        {
            if (job == Jobs - 1)
            {
                await killed.Task.WaitAsync(ChildProcess.Patience); // however late the kill comes, there is a job left for after it
            }

            long[] result = await pool.RunAsync(job).WaitAsync(ChildProcess.Patience);
            if (job == 100)
            {
                Linux.Signal(server, Linux.SIGKILL);
                Eventually.True(() => !Linux.IsRunning(server), "the server ends, and so do its workers");
                killed.SetResult();
            }

            if (result[0] != (long)job * job)
            {
                throw new InvalidOperationException($"Job {job} got {result[0]}.");
            }
        })];
        await Task.WhenAll(jobs).ContinueWith(_ => { }, TaskScheduler.Default);
        int given = jobs.Count(job => job.IsFaulted && job.Exception!.InnerException is WorkerPoolException);
        RoleArguments.Say($"jobs {(killed.Task.IsCompleted ? 1 : 0)} {jobs.Count(job => job.IsCompletedSuccessfully)} {given}");
        string after = "";
        try
        {
            after = $"{(await pool.RunAsync(7).WaitAsync(ChildProcess.Patience))[0]}";
        }
        catch (WorkerPoolException error)
        {
            after = error.Message;
        }

        RoleArguments.Say($"after {after.ReplaceLineEndings(" ")}");
    }
}
