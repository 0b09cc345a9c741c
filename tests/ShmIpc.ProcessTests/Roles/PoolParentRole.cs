// A process with a pool of its own, which the test kills: says the ids of its workers, and waits.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Roles;

internal static class PoolParentRole
{
    public static void Run(RoleArguments arguments)
    {
        WorkerStartMode mode = Enum.Parse<WorkerStartMode>(arguments.Text("mode"));
        if (mode == WorkerStartMode.Fork)
        {
            ForkSupport.EnsureForkable([]);
        }

        WorkerPoolOptions options = new() { Workers = 3, StartMode = mode };
        WorkerPool<string, string> pool = WorkerPool.StartAsync<string, string>(PoolBodies.Do, options).GetAwaiter().GetResult();
        if (arguments.TryText("file") is { } file)
        {
            _ = pool.RunAsync($"sleep {file}");
            Eventually.True(() => File.Exists(file), "the job begins");
        }

        RoleArguments.Say($"ready {pool.StartMode} {string.Join(' ', pool.Workers.Select(worker => worker.ProcessId))}");
        Thread.Sleep(Timeout.Infinite);
    }
}
