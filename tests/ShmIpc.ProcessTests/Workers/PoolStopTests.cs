// The end of a pool: drained, cut short, told by a signal, or with the process that had it.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolStopTests : PoolTest
{
    [Fact]
    public async Task A_stop_waits_for_the_jobs_under_way_and_takes_no_more()
    {
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(2), Cancellation);
        Task<string>[] jobs = [.. Enumerable.Range(0, 16).Select(_ => pool.RunAsync("nap 30", Cancellation))];
        Task stop = pool.StopAsync();
        await Assert.ThrowsAsync<WorkerPoolException>(() => Soon(pool.RunAsync("who", Cancellation)));
        await stop.WaitAsync(Patience, Cancellation);
        Assert.All(jobs, job => Assert.True(job.IsCompletedSuccessfully));
        Assert.All(pool.Workers, worker => Assert.Equal((WorkerState.Stopped, (int?)null), (worker.State, worker.ProcessId)));
        Assert.All(pool.Workers, worker => Assert.Equal(new WorkerExit(0, null), worker.LastExit));
        Assert.True(pool.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Whoever_has_not_ended_by_the_deadline_is_killed()
    {
        using ScratchRoot root = new();
        WorkerPoolOptions options = Options(1) with { StopTimeout = TimeSpan.FromMilliseconds(300) };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Task<string> deaf = pool.RunAsync($"sleep {root.FileOf("begun")}", Cancellation);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins");
        await pool.StopAsync().WaitAsync(Patience, Cancellation);
        WorkerPoolException error = await Assert.ThrowsAsync<WorkerPoolException>(() => Soon(deaf));
        Assert.Contains("stopped", error.Message, StringComparison.Ordinal);
        Assert.Equal(9, Assert.Single(pool.Workers).LastExit?.Signal);
    }

    [Fact]
    public async Task Plain_bodies_run_until_they_are_told_to_stop()
    {
        List<string> lines = [];
        WorkerPoolOptions options = Options(2) with
        {
            OnOutput = line =>
            {
                lock (lines)
                {
                    lines.Add($"{line.Worker} {line.IsError} {line.Line}");
                }
            },
        };
        await using (WorkerPool pool = await WorkerPool.StartAsync(PoolBodies.UntilStopped, options, Cancellation))
        {
            Assert.All(pool.Workers, worker => Assert.Equal(WorkerState.Busy, worker.State));
            Eventually.True(() => Lines().Length == 2, "both say that they run");
            Assert.False(pool.Completion.IsCompleted);
        }

        Assert.Equal(["0 False running", "0 False stopped", "1 False running", "1 False stopped"], Lines());
        await using WorkerPool deaf = await WorkerPool.StartAsync(
            PoolBodies.Deaf, Options(1) with { StopTimeout = TimeSpan.FromMilliseconds(200) }, Cancellation);
        await using WorkerPool asynchronous = await WorkerPool.StartAsync(PoolBodies.UntilStoppedAsync, Options(1), Cancellation);
        await asynchronous.StopAsync().WaitAsync(Patience, Cancellation);
        Assert.Equal(new WorkerExit(0, null), Assert.Single(asynchronous.Workers).LastExit);

        string[] Lines()
        {
            lock (lines)
            {
                return [.. lines.Order()];
            }
        }
    }

    [Fact]
    public async Task A_plain_body_that_returns_is_done()
    {
        await using WorkerPool pool = await WorkerPool.StartAsync(PoolBodies.Return, Options(2), Cancellation);
        await pool.Completion.WaitAsync(Patience, Cancellation);
        Eventually.True(() => pool.Workers.All(worker => worker.State == WorkerState.Stopped), "each is seen to have stopped");
        await pool.StopAsync().WaitAsync(Patience, Cancellation);
        Assert.All(pool.Workers, worker => Assert.Equal((WorkerState.Stopped, 0), (worker.State, worker.Restarts)));
    }

    [Fact]
    public async Task A_worker_that_gets_a_SIGTERM_finishes_its_job_and_is_replaced()
    {
        using ScratchRoot root = new();
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(1), Cancellation);
        Task<string> job = pool.RunAsync("stop", Cancellation); // until it is told to
        Eventually.True(() => pool.Workers[0].State == WorkerState.Busy, "the job begins");
        int before = pool.Workers[0].ProcessId!.Value;
        Linux.Signal(before, 15);
        Assert.Equal("told", await Soon(job));
        int after = int.Parse(await Soon(pool.RunAsync("who", Cancellation)), CultureInfo.InvariantCulture);
        Assert.NotEqual(before, after);
        Assert.Equal(new WorkerExit(0, null), pool.Workers[0].LastExit);
    }

    [Fact]
    public async Task What_a_terminal_or_a_service_manager_sends_to_all_processes_does_not_end_the_fork_server()
    {
        WorkerPoolOptions options = Options(1) with { StartMode = WorkerStartMode.ForkServer };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Assert.SkipWhen(pool.FallbackReason is not null, $"No fork server here: {pool.FallbackReason}");
        int server = Assert.Single(Linux.Children());
        Task<string> job = pool.RunAsync("nap 200", Cancellation);
        Linux.Signal(server, 2);
        Linux.Signal(server, 15);
        Assert.Equal("rested", await Soon(job));
        Assert.Equal(0, pool.Workers[0].Restarts);
        Assert.Equal(server, Assert.Single(Linux.Children()));
    }

    [Theory]
    [InlineData(WorkerStartMode.Spawn)]
    [InlineData(WorkerStartMode.ForkServer)]
    [InlineData(WorkerStartMode.Fork)]
    public void No_worker_outlives_the_process_that_had_the_pool(WorkerStartMode mode)
    {
        using ScratchRoot root = new();
        using ChildProcess parent = ChildProcess.Start("pool-parent", ("mode", mode), ("file", root.FileOf("begun")));
        string[] words = parent.Expect("ready");
        Assert.SkipWhen(words[0] != mode.ToString(), $"Workers cannot be started by {mode} here.");
        int[] workers = [.. words[1..].Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        Assert.Equal(3, workers.Length);
        int server = Linux.ParentOf(workers[0]);
        Assert.Equal(mode == WorkerStartMode.Spawn, server == parent.Id);
        int[] family = [parent.Id, server, .. workers];
        string[] memory = [.. MemoryOf(workers[0])];
        Assert.Equal(3, memory.Length); // answers, control words, jobs
        Assert.All(family.Except([server]), member => Assert.Equal(memory, MemoryOf(member)));
        parent.Kill();
        Eventually.True(() => !family.Any(IsAlive), "the workers and their server end with their parent");
        Eventually.True(
            () => !Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _))
                .Any(process => MemoryOf(int.Parse(process!, CultureInfo.InvariantCulture)).Intersect(memory).Any()),
            "no process has the pool's memory any more");
    }

    [Theory]
    [InlineData(WorkerStartMode.Spawn)]
    [InlineData(WorkerStartMode.ForkServer)]
    [InlineData(WorkerStartMode.Fork)]
    public void A_pool_works_and_ends_in_process_1_of_a_container(WorkerStartMode mode)
    {
        using ChildProcess first = ChildProcess.Start("pool-first", [.. Isolation.ProcessIds, ("mode", mode)]);
        string[] words = first.Expect("ready");
        Assert.Equal("1", words[0]);
        Assert.SkipWhen(words[1] != mode.ToString(), $"Workers cannot be started by {mode} here.");
        string killed = Assert.Single(first.Expect("killed"));
        Assert.Contains(killed, (string[])["/9", "/"]); // nobody can say where the runtime was first
        Assert.Equal(["0/", "0/"], first.Expect("exits"));
        first.Expect("alone");
        first.ExpectEnd();
    }

    [Theory]
    [InlineData(WorkerStartMode.Spawn)]
    [InlineData(WorkerStartMode.ForkServer)]
    [InlineData(WorkerStartMode.Fork)]
    public void A_pool_works_and_ends_where_SIGCHLD_is_ignored(WorkerStartMode mode)
    {
        // Nobody can wait for such a process's children; only what a worker has left in the pool's memory says how it ended.
        using ChildProcess pool = ChildProcess.Start("pool-first", ("mode", mode), ("children", "ignored"));
        string[] words = pool.Expect("ready");
        Assert.SkipWhen(words[1] != mode.ToString(), $"Workers cannot be started by {mode} here.");
        Assert.Equal(mode == WorkerStartMode.Spawn ? "/" : "/9", Assert.Single(pool.Expect("killed"))); // a fork server can
        Assert.Equal(["0/", "0/"], pool.Expect("exits"));
        pool.Expect("alone");
        pool.ExpectEnd();
    }

    [Fact]
    public async Task A_stopped_worker_holds_up_no_end()
    {
        WorkerPoolOptions options = Options(1) with { StopTimeout = TimeSpan.FromMilliseconds(300) };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Linux.Signal(pool.Workers[0].ProcessId!.Value, Linux.SIGSTOP);
        await pool.StopAsync().WaitAsync(Patience, Cancellation);
        Assert.Equal((WorkerState.Stopped, new WorkerExit(null, Linux.SIGKILL)), (pool.Workers[0].State, pool.Workers[0].LastExit));
    }

    /// <summary>The pool's memory that a process has mapped, by inode; nothing when it has ended, or is not ours to look at.</summary>
    private static IEnumerable<string> MemoryOf(int process)
    {
        try
        {
            return [.. File.ReadLines($"/proc/{process}/maps")
                .Where(line => line.Contains("shmipc-pool", StringComparison.Ordinal))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4]).Distinct().Order()];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Where nobody reaps orphans, the dead stay zombies.
    private static bool IsAlive(int process)
    {
        try
        {
            return !Linux.ThreadStates(process).All(state => state is 'Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
