// Workers that die: whose job it was, who comes next, and when a pool gives up.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolDeathTests(ITestOutputHelper output) : PoolTest
{
    private readonly ITestOutputHelper _output = output;

    [Theory]
    [InlineData(WorkerStartMode.Spawn)]
    [InlineData(WorkerStartMode.ForkServer)]
    public async Task Workers_killed_at_random_leave_every_job_answered_exactly_once(WorkerStartMode mode)
    {
        Campaign campaign = new(_output);
        int jobs = Campaign.IsLong ? 100_000 : 2_000;
        int kills = Campaign.IsLong ? 1_000 : 40;
        WorkerPoolOptions options = Options(4) with
        {
            StartMode = mode,
            MaxDeliveries = WorkerPoolOptions.MostDeliveries,
            MaxJobsInFlight = 64,
            CrashLoopLimit = 100,
        };
        await using WorkerPool<int, long[]> pool = await WorkerPool.StartAsync<int, long[]>(PoolBodies.Square, options, Cancellation);
        Assert.SkipWhen(pool.FallbackReason is not null, $"No fork server here: {pool.FallbackReason}");
        using CancellationTokenSource done = new();
        HashSet<int> killed = []; // the dead stay in the list until the pool has noticed
        Task killer = Task.Run(async () =>
        {
            while (killed.Count < kills)
            {
                await Task.Delay(campaign.Random.Next(5, 80), done.Token);
                if (pool.Workers[campaign.Random.Next(4)] is { ProcessId: { } process, State: WorkerState.Idle or WorkerState.Busy }
                    && killed.Add(process))
                {
                    Linux.TrySignal(process, Linux.SIGKILL);
                }
            }
        });

        // The jobs go on until the killer is through, so that its kills fall among them on a machine of any speed.
        int answered = 0;
        int again = 0;
        int givenUp = 0;
        int next = 0;
        int[] answers = new int[10 * jobs];
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) - 1 is int job && job < answers.Length && (job < jobs || !killer.IsCompleted))
            {
                try
                {
                    long[] result = await pool.RunAsync(job, Cancellation).WaitAsync(Patience, Cancellation);
                    Assert.Equal((long)job * job, result[0]);
                    _ = result[2] > 1 ? Interlocked.Increment(ref again) : 0;
                }
                catch (WorkerJobException error) when (error.Deaths > 0)
                {
                    Interlocked.Increment(ref givenUp); // the killer has hit the same job again and again, which is an answer too
                }

                Interlocked.Increment(ref answers[job]);
                Interlocked.Increment(ref answered);
            }
        })));
        await done.CancelAsync();
        await killer.ContinueWith(_ => { }, TaskScheduler.Default);
        _output.WriteLine($"{answered} jobs, {killed.Count} kills, {again} jobs done by a second worker, {givenUp} given up");
        Assert.True(answered >= jobs);
        Assert.InRange(givenUp, 0, killed.Count / 4);
        Assert.True(killed.Count > kills / 2, "The workers were killed while jobs ran.");
        Assert.All(answers.Take(answered), count => Assert.Equal(1, count));
        Eventually.True(() => pool.Workers.Sum(worker => worker.Restarts) == killed.Count, "the killed are replaced");
        Assert.Equal(0, pool.Core.Jobs!.Count);
    }

    [Theory]
    [InlineData("die 9", 9, 1)]
    [InlineData("die 9", 9, 3)]
    [InlineData("fault", 6, 2)]
    [InlineData("fail", 6, 2)]
    public async Task A_job_that_ends_its_workers_fails_and_says_how_the_last_one_ended(string job, int signal, int deaths)
    {
        WorkerPoolOptions options = Options(2) with { MaxDeliveries = deaths };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Task<string> poison = pool.RunAsync(job, Cancellation);
        Task<string[]> others = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => pool.RunAsync("nap 5", Cancellation)));
        WorkerJobException error = await Assert.ThrowsAsync<WorkerJobException>(() => Soon(poison));
        Assert.Equal(deaths, error.Deaths);
        Assert.Equal(signal, error.Exit?.Signal ?? (error.Exit?.ExitCode - 128)); // the runtime itself may turn a signal into an exit code
        Assert.Contains("MaxDeliveries", error.Message, StringComparison.Ordinal);
        Assert.All(await Soon(others), result => Assert.Equal("rested", result));
        Assert.Equal(deaths, pool.Workers.Sum(worker => worker.Restarts));
    }

    [Fact]
    public async Task A_job_that_a_worker_died_with_goes_to_another()
    {
        using ScratchRoot root = new();
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(2), Cancellation);
        using CancellationTokenSource end = new();
        Task<string> waiting = pool.RunAsync($"wait {root.FileOf("begun")}", end.Token);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins");
        WorkerStatus busy = Assert.Single(pool.Workers, worker => worker.State == WorkerState.Busy);
        File.Delete(root.FileOf("begun"));
        Linux.Signal(busy.ProcessId!.Value, Linux.SIGKILL);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins again");
        Assert.False(waiting.IsCompleted);
        Eventually.True(() => pool.Workers[busy.Index] is { Restarts: 1, State: WorkerState.Idle or WorkerState.Busy }, "it is replaced");
        Assert.Equal(new WorkerExit(null, 9), pool.Workers[busy.Index].LastExit);
        await end.CancelAsync(); // the job would last a minute, and the pool waits for it
    }

    [Fact]
    public async Task A_pool_whose_workers_cannot_begin_says_why()
    {
        Environment.SetEnvironmentVariable("SHMIPC_TEST_HOME", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        WorkerPoolOptions options = Options(2) with { JobSerializer = typeof(HomePayload), CrashLoopLimit = 2 };
        WorkerPoolException error = await Assert.ThrowsAsync<WorkerPoolException>(
            () => WorkerPool.StartAsync<string, string>(PoolBodies.Upper, options, Cancellation));
        Assert.Contains("CrashLoopLimit", error.Message, StringComparison.Ordinal);
        Assert.Contains("exit code 71", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_body_that_fails_again_and_again_ends_the_pool()
    {
        await using WorkerPool pool =
            await WorkerPool.StartAsync(PoolBodies.ThrowAtOnce, Options(1) with { CrashLoopLimit = 3 }, Cancellation);
        WorkerPoolException error = await Assert.ThrowsAsync<WorkerPoolException>(() => pool.Completion.WaitAsync(Patience, Cancellation));
        Assert.Contains("nothing works today", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, Assert.Single(pool.Workers).Restarts);
    }

    [Fact]
    public async Task A_pool_that_gave_up_fails_its_jobs()
    {
        await using WorkerPool<string, string> pool =
            await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(1) with { CrashLoopLimit = 1 }, Cancellation);
        Linux.Signal(Assert.Single(pool.Workers).ProcessId!.Value, Linux.SIGKILL);
        await Assert.ThrowsAsync<WorkerPoolException>(() => pool.Completion.WaitAsync(Patience, Cancellation));
        await Assert.ThrowsAsync<WorkerPoolException>(() => Soon(pool.RunAsync("who", Cancellation)));
    }

    /// <summary>A serializer that only the process of the pool can make.</summary>
    public sealed class HomePayload : IPayloadSerializer<string>
    {
        private readonly StringPayload _inner = new();

        public HomePayload()
        {
            if (Environment.GetEnvironmentVariable("SHMIPC_TEST_HOME") != Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            {
                throw new InvalidOperationException("not at home");
            }
        }

        public string Format => _inner.Format;

        public void Serialize(System.Buffers.IBufferWriter<byte> destination, string value) => _inner.Serialize(destination, value);

        public string Deserialize(ReadOnlyMemory<byte> payload) => _inner.Deserialize(payload);
    }
}
