// Workers that crash in every way, in each start mode: the pool's process comes through, says how its worker ended, and has another.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolCrashTests
{
    private static readonly (string Job, string Said)[] _crashes =
    [
        ("die 9", "crashed 1//9"),
        ("fail", "crashed 1//6"),
        ("abort", "crashed 1//6"),
        ("fault", "crashed 1//6"), // a bad address in managed code: the runtime says so, and aborts
        ("native", "crashed 1//11"), // in native code: the kernel's own
        ("overflow", "crashed 1//6"),
        ("null", "failed System.NullReferenceException"), // also behind a fork the runtime makes exceptions of these
    ];

    public static TheoryData<WorkerStartMode> Modes => [WorkerStartMode.Spawn, WorkerStartMode.ForkServer, WorkerStartMode.Fork];

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_crash_is_the_worker_s_alone_and_its_exit_is_known(WorkerStartMode mode)
    {
        using ChildProcess pool = ChildProcess.Start("pool-crashes", ("mode", mode));
        Assert.SkipWhen(pool.Expect("ready")[0] != mode.ToString(), $"Workers cannot be started by {mode} here.");
        foreach ((string job, string said) in _crashes)
        {
            pool.Send(job);
            Assert.Equal((job, said), (job, pool.Next()));
            pool.Send("nap 1");
            Assert.Equal("result rested", pool.Next());
        }

        pool.Send("end");
        int deaths = _crashes.Count(crash => crash.Said.StartsWith("crashed", StringComparison.Ordinal));
        Assert.Equal($"{deaths}", Assert.Single(pool.Expect("alone")));
        pool.ExpectEnd();
    }
}
