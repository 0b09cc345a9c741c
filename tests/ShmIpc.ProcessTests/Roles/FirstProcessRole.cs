// A pool whose process is the first of its namespace, as in a container, or that cannot wait for its children: says which number it has, that a killed worker was replaced, how
// the workers ended, and how many children are left, the dead ones too.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Roles;

internal static class FirstProcessRole
{
    public static void Run(RoleArguments arguments)
    {
        WorkerStartMode mode = Enum.Parse<WorkerStartMode>(arguments.Text("mode"));
        if (mode == WorkerStartMode.Fork)
        {
            ForkSupport.EnsureForkable([]);
        }

        WorkerPoolOptions options = new() { Workers = 2, StartMode = mode, RestartDelay = TimeSpan.FromMilliseconds(10) };
        WorkerPool<string, string> pool = WorkerPool.StartAsync<string, string>(PoolBodies.Do, options).GetAwaiter().GetResult();
        RoleArguments.Say($"ready {Environment.ProcessId} {pool.StartMode}");

        // From now on the runtime reaps every child of process 1 that ends, the workers too: either of us may come first.
        if (arguments.TryText("children") == "ignored")
        {
            Linux.IgnoreChildren();
        }
        else
        {
            using Process process = Process.Start("/bin/true");
            process.WaitForExit();
        }

        Work(pool);
        Linux.Signal(int.Parse(pool.RunAsync("who").GetAwaiter().GetResult(), CultureInfo.InvariantCulture), Linux.SIGKILL);
        Eventually.True(
            () => pool.Workers.Sum(worker => worker.Restarts) == 1 && pool.Workers.All(worker => worker.State == WorkerState.Idle),
            () => $"the killed worker is replaced: {string.Join(", ", pool.Workers)}");
        RoleArguments.Say($"killed {Text(pool.Workers.Single(worker => worker.Restarts == 1))}");
        Work(pool);
        pool.DisposeAsync().AsTask().GetAwaiter().GetResult();
        RoleArguments.Say($"exits {string.Join(' ', pool.Workers.Select(Text))}");
        Eventually.True(() => Linux.Children().Count == 0, "no child is left, not even a dead one");
        RoleArguments.Say("alone");
    }

    private static string Text(WorkerStatus worker) => $"{worker.LastExit?.ExitCode}/{worker.LastExit?.Signal}";

    private static void Work(WorkerPool<string, string> pool) =>
        Task.WhenAll(Enumerable.Range(0, 50).Select(_ => pool.RunAsync("who"))).GetAwaiter().GetResult();
}
