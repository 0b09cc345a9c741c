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

    [Fact]
    public async Task A_stopped_fork_server_that_takes_no_more_messages_is_ended_too()
    {
        // Two of these launches fill the socket, and the third would wait for the server.
        Dictionary<string, string> arguments = new() { ["text"] = new string('x', 100_000) };
        await using WorkerPool<string, string> pool = await StartAsync(workers: 4, arguments);
        int[] workers = [.. pool.Workers.Select(worker => worker.ProcessId!.Value)];
        using StoppedServer server = new(Linux.ParentOf(workers[0]));
        Array.ForEach(workers, worker => Linux.Signal(worker, Linux.SIGKILL));
        Assert.DoesNotContain(await Soon(pool.RunAsync("who", Cancellation)), workers.Select(worker => $"{worker}"));
        Assert.False(Linux.IsRunning(server.ProcessId));
    }

    [Fact]
    public async Task A_launch_that_gives_up_ends_the_server_that_it_asked_and_not_its_successor()
    {
        WorkerPool<string, string>? known = null;
        int told = 0, successor = 0;
        WorkerPoolOptions options = Options() with
        {
            Workers = 2,
            StartTimeout = TimeSpan.FromSeconds(20), // the second server is to be ready in that time
            OnNotice = text =>
            {
                // Both launches are too late at once. Whoever is told of it second learns so when the first one's place has a new server.
                if (text.Contains("could be forked within", StringComparison.Ordinal) && Interlocked.Increment(ref told) == 2)
                {
                    Eventually.True(() => known!.Workers.Any(worker => worker.State == WorkerState.Idle), "one has come back", 3 * Patience);
                    successor = Linux.ParentOf(known!.Workers.First(worker => worker.State == WorkerState.Idle).ProcessId!.Value);
                }
            },
        };
        await using WorkerPool<string, string> pool = await StartAsync(options);
        known = pool;
        int[] workers = [.. pool.Workers.Select(worker => worker.ProcessId!.Value)];
        using StoppedServer server = new(Linux.ParentOf(workers[0]));
        Array.ForEach(workers, worker => Linux.Signal(worker, Linux.SIGKILL));
        Eventually.True(
            () => Volatile.Read(ref successor) != 0 && pool.Workers.All(worker => worker.State == WorkerState.Idle),
            "both have come back",
            3 * Patience);
        Assert.False(Linux.IsRunning(server.ProcessId));
        Assert.All(pool.Workers, worker => Assert.Equal(successor, Linux.ParentOf(worker.ProcessId!.Value)));
    }

    [Fact]
    public async Task Fork_servers_that_have_ended_leave_no_descriptor()
    {
        await using WorkerPool<string, string> pool = await StartAsync();
        int before = Count();
        for (int i = 0; i < 5; i++)
        {
            int worker = int.Parse(await Soon(pool.RunAsync("who", Cancellation)), CultureInfo.InvariantCulture);
            Linux.Signal(Linux.ParentOf(worker), Linux.SIGKILL);
            Eventually.True(() => !Linux.IsRunning(worker), "it ends with its server");
        }

        _ = await Soon(pool.RunAsync("who", Cancellation));
        Eventually.True(
            () => Count() <= before, // those of earlier tests may go meanwhile
            () => $"{before} descriptors of processes before, and {Count()} now");

        static int Count() => Linux.OpenFiles(Environment.ProcessId).Count(file => file.Contains("pidfd", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_fork_server_that_is_not_ready_in_time_ends_the_start()
    {
        WorkerPoolOptions options = Options(1) with
        {
            StartMode = WorkerStartMode.ForkServer,
            StartTimeout = TimeSpan.FromSeconds(5),
            Preload = RehearsalBodies.PreloadThatNeverReturns,
        };
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(
            () => WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation));
        Assert.Contains("StartTimeout", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_copy_that_fails_before_it_serves_does_not_go_on_with_the_program()
    {
        using ChildProcess pool = ChildProcess.Start("pool-copy", ("mode", WorkerStartMode.Fork));
        string came = string.Join(' ', pool.Expect("came"));
        Assert.StartsWith(nameof(ShmForkException), came, StringComparison.Ordinal);
        Assert.Contains("Too many open files", came, StringComparison.Ordinal);
        pool.ExpectEnd();
    }

    private static WorkerPoolOptions Options() => Options(1) with
    {
        StartMode = WorkerStartMode.ForkServer,
        StartTimeout = TimeSpan.FromSeconds(10),
        StopTimeout = TimeSpan.FromSeconds(1),
    };

    private static Task<WorkerPool<string, string>> StartAsync(int workers = 1, Dictionary<string, string>? arguments = null) =>
        StartAsync(Options() with { Workers = workers, Arguments = arguments ?? [] });

    private static async Task<WorkerPool<string, string>> StartAsync(WorkerPoolOptions options)
    {
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
