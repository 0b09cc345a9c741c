// A process with a pool of one, in any start mode: says how many methods its worker had compiled when its body began.

using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Roles;

internal static class PoolCompiledRole
{
    public static void Run(RoleArguments arguments)
    {
        WorkerStartMode mode = Enum.Parse<WorkerStartMode>(arguments.Text("mode"));
        if (mode == WorkerStartMode.Fork)
        {
            ForkSupport.EnsureForkable([]);
        }

        WorkerPoolOptions options = new() { Workers = 1, StartMode = mode };
        switch (arguments.Text("job"))
        {
            case "string":
                Ask(WorkerPool.StartAsync<string, int>(RehearsalBodies.Compiled, options).GetAwaiter().GetResult(), "");
                break;
            case "message":
                PoolMessage job = new() { Number = 1, Text = "one" };
                Ask(WorkerPool.StartAsync<PoolMessage, int>(RehearsalBodies.CompiledFor, options).GetAwaiter().GetResult(), job);
                break;
        }
    }

    private static void Ask<TJob>(WorkerPool<TJob, int> pool, TJob job)
    {
        RoleArguments.Say($"compiled {pool.StartMode} {pool.RunAsync(job).GetAwaiter().GetResult()}");
        pool.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
