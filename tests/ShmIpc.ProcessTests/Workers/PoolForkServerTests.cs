// The process that workers are forked from, killed or stopped while its pool works.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolForkServerTests : PoolTest
{
    [Theory]
    [InlineData(WorkerStartMode.ForkServer)]
    [InlineData(WorkerStartMode.Fork)]
    public void A_fork_server_killed_among_jobs_loses_none_of_them(WorkerStartMode mode)
    {
        using ChildProcess pool = ChildProcess.Start("pool-server-killed", ("mode", mode));
        Assert.SkipWhen(pool.Expect("ready")[0] != mode.ToString(), $"Workers cannot be started by {mode} here.");
        int[] jobs = [.. pool.Expect("jobs").Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        string after = string.Join(' ', pool.Expect("after"));
        Assert.Equal(1, jobs[0]);
        if (mode == WorkerStartMode.ForkServer)
        {
            Assert.Equal((400, 0, "49"), (jobs[1], jobs[2], after));
        }
        else
        {
            Assert.Equal(400, jobs[1] + jobs[2]); // each is answered, by its result or by the pool that gave up
            Assert.NotEqual(0, jobs[2]);
            Assert.Contains("cannot be forked any more", after, StringComparison.Ordinal);
        }

        pool.Expect("alone");
        pool.ExpectEnd();
    }

    [Fact]
    public async Task A_stopped_fork_server_is_ended_when_a_worker_is_due()
    {
        await using WorkerPool<string, string> pool = await StartAsync();
        int worker = pool.Workers[0].ProcessId!.Value;
        using StoppedServer server = new(Linux.ParentOf(worker));
        Linux.Signal(worker, Linux.SIGKILL);
        int next = int.Parse(await Soon(pool.RunAsync("who", Cancellation)), CultureInfo.InvariantCulture);
        Assert.NotEqual(server.ProcessId, Linux.ParentOf(next));
        Assert.False(Linux.IsRunning(server.ProcessId));
    }

    [Fact]
    public async Task A_stopped_fork_server_holds_up_no_end_of_its_pool()
    {
        await using WorkerPool<string, string> pool = await StartAsync();
        int worker = pool.Workers[0].ProcessId!.Value;
        using StoppedServer server = new(Linux.ParentOf(worker));
        Linux.Signal(worker, Linux.SIGKILL);
        Eventually.True(() => pool.Workers[0] is { State: WorkerState.Starting, Restarts: 1 }, "the server is asked for a worker");
        await Task.Delay(500, Cancellation);
        await pool.StopAsync().WaitAsync(Patience, Cancellation);
    }

    private static async Task<WorkerPool<string, string>> StartAsync()
    {
        WorkerPoolOptions options = Options(1) with
        {
            StartMode = WorkerStartMode.ForkServer,
            StartTimeout = TimeSpan.FromSeconds(10),
            StopTimeout = TimeSpan.FromSeconds(1),
        };
        WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Assert.SkipWhen(pool.FallbackReason is not null, $"No fork server here: {pool.FallbackReason}");
        return pool;
    }

    /// <summary>Stops it, and kills it in the end when the pool has not.</summary>
    private sealed class StoppedServer : IDisposable
    {
        public StoppedServer(int processId)
        {
            ProcessId = processId;
            Linux.Signal(processId, Linux.SIGSTOP);
        }

        public int ProcessId { get; }

        public void Dispose()
        {
            if (Linux.Children().Contains(ProcessId))
            {
                Linux.Signal(ProcessId, Linux.SIGKILL);
            }
        }
    }
}
