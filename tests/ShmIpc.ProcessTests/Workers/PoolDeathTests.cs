// Workers that die: whose job it was, who comes next, and when a pool gives up.

using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolDeathTests : PoolTest
{
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
        Eventually.True( // the last one a moment later
            () => pool.Workers.Sum(worker => worker.Restarts) == deaths,
            () => $"each of the {deaths} dead is replaced: {string.Join(", ", pool.Workers)}");
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
    public async Task A_job_that_was_handed_out_and_not_begun_has_no_death_against_it()
    {
        using ScratchRoot root = new();
        WorkerPoolOptions options = Options(1) with { MaxDeliveries = 1 };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        using CancellationTokenSource first = new();
        Task<string> waiting = pool.RunAsync($"wait {root.FileOf("begun")}", first.Token);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the one worker is busy");
        Task<string> job = pool.RunAsync("who", Cancellation);

        // A member that takes the job and leaves, as one does that dies before it has said what it took.
        JobPayload<string> payload = new(new StringPayload());
        using (ShmChannel<JobEnvelope<string>> channel = ShmChannel.Open(PoolChannels.JobsName, payload, PoolChannels.Existing(pool.Core.JobsMemory!)))
        using (Consumer<JobEnvelope<string>> member = channel.CreateConsumer(PoolChannels.Member()))
        {
            Assert.True(member.TryReceive(out Delivery<JobEnvelope<string>> taken));
            Assert.Equal("who", taken.Message.Job);
        }

        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(waiting));
        Assert.Equal($"{pool.Workers[0].ProcessId}", await Soon(job));
    }

    [Fact]
    public async Task A_job_that_its_worker_died_with_does_not_run_again_while_the_pool_is_slow_to_count()
    {
        using ScratchRoot root = new();
        WorkerPoolOptions options = Options(2) with
        {
            MaxDeliveries = 1,
            ResultSerializer = typeof(GatedPayload),
            Arguments = new Dictionary<string, string> { ["gate"] = GatedPayload.Word },
        };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Task<string> gate = pool.RunAsync("argument gate", Cancellation);
        Eventually.True(() => GatedPayload.IsReached, "the pool reads an answer, and is held up there");
        Task<string> poison = pool.RunAsync($"last {root.FileOf("words")}", Cancellation);
        Eventually.True(() => File.Exists(root.FileOf("words")), "the job begins");
        await Task.Delay(500, Cancellation); // time for the other worker to get it
        Assert.False(poison.IsCompleted);
        GatedPayload.Open();
        WorkerJobException error = await Assert.ThrowsAsync<WorkerJobException>(() => Soon(poison));
        Assert.Equal((1, new WorkerExit(null, Linux.SIGKILL)), (error.Deaths, error.Exit));
        Assert.Equal(GatedPayload.Word, await Soon(gate));
        Assert.Equal("rested", await Soon(pool.RunAsync("nap 1", Cancellation)));
        Assert.Equal("x", await File.ReadAllTextAsync(root.FileOf("words"), Cancellation));
    }

    [Fact]
    public async Task A_stopped_worker_is_ended_by_the_timeout_of_its_job()
    {
        using ScratchRoot root = new();
        WorkerPoolOptions options = Options(1) with { JobTimeout = JobTimeout };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Task<string> job = pool.RunAsync($"wait {root.FileOf("begun")}", Cancellation);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins");
        int stopped = pool.Workers[0].ProcessId!.Value;
        Linux.Signal(stopped, Linux.SIGSTOP);
        await Assert.ThrowsAsync<TimeoutException>(() => Soon(job));
        Assert.NotEqual($"{stopped}", await Soon(pool.RunAsync("who", Cancellation)));
        Assert.Equal((1, new WorkerExit(null, Linux.SIGKILL)), (pool.Workers[0].Restarts, pool.Workers[0].LastExit));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(6)]
    public async Task A_fault_s_signal_that_somebody_sends_holds_no_job_for_ever(int signal)
    {
        // The runtime takes the signal for a fault that will come again when it returns, and after that no fault is caught any more.
        WorkerPoolOptions options = Options(1) with { JobTimeout = JobTimeout, MaxDeliveries = 1 };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        string before = await Soon(pool.RunAsync("who", Cancellation));
        Exception? error = await Record.ExceptionAsync(() => Soon(pool.RunAsync($"die {signal}", Cancellation)));
        Assert.True(error is TimeoutException or WorkerJobException { Deaths: 1 }, $"{error}");
        Assert.NotEqual(before, await Soon(pool.RunAsync("who", Cancellation)));
        Assert.Equal(1, pool.Workers[0].Restarts);
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
    public async Task A_damaged_answer_leaves_no_job_without_one()
    {
        using ScratchRoot root = new();
        TimeSpan never = TimeSpan.FromMinutes(10);
        WorkerPoolOptions options = Options(2) with { RestartDelay = never, MaxRestartDelay = never };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Task<string> job = pool.RunAsync($"wait {root.FileOf("begun")}", Cancellation);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins");
        WorkerStatus idle = Assert.Single(pool.Workers, worker => worker.State == WorkerState.Idle);
        Linux.Signal(idle.ProcessId!.Value, Linux.SIGKILL);
        Eventually.True(() => pool.Workers[idle.Index].State == WorkerState.Restarting, "its lane is free");
        using ShmChannel<Answer<string>> channel =
            ShmChannel.Open(PoolChannels.AnswersName, new DamagedPayload(), PoolChannels.Existing(pool.Core.AnswersMemory));
        using Producer<Answer<string>> producer = channel.CreateProducer(Patience);
        producer.Write(default, cancellationToken: Cancellation);
        WorkerPoolException error = await Assert.ThrowsAsync<WorkerPoolException>(() => Soon(job));
        Assert.Contains("answers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Workers_that_may_not_be_sent_a_signal_hold_up_neither_a_timeout_nor_an_end()
    {
        Users.RequireRoot();
        using ChildProcess pool = ChildProcess.Start("pool-powerless");
        int worker = int.Parse(Assert.Single(pool.Expect("ready")), CultureInfo.InvariantCulture);
        try
        {
            Assert.Equal("notice", pool.Next().Split(' ')[0]);
            Assert.Contains("EPERM", string.Join(' ', pool.Expect("late")), StringComparison.Ordinal);
            Assert.Contains("EPERM", string.Join(' ', pool.Expect("notice")), StringComparison.Ordinal);
            pool.Expect("notice"); // of the StopTimeout
            pool.Expect("stopped");
            pool.ExpectEnd();
        }
        finally
        {
            Linux.TrySignal(worker, Linux.SIGKILL);
        }
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

    /// <summary>A serializer that holds up the pool's process where it reads a certain word.</summary>
    public sealed class GatedPayload : IPayloadSerializer<string>
    {
        public const string Word = "gate";
        private static readonly ManualResetEventSlim _reached = new();
        private static readonly ManualResetEventSlim _open = new();
        private readonly StringPayload _inner = new();

        public static bool IsReached => _reached.IsSet;

        public string Format => _inner.Format;

        public static void Open() => _open.Set();

        public void Serialize(System.Buffers.IBufferWriter<byte> destination, string value) => _inner.Serialize(destination, value);

        public string Deserialize(ReadOnlyMemory<byte> payload)
        {
            string text = _inner.Deserialize(payload);
            if (text == Word)
            {
                _reached.Set();
                _open.Wait(Patience);
            }

            return text;
        }
    }

    /// <summary>What is written where an answer should be.</summary>
    private sealed class DamagedPayload : IPayloadSerializer<Answer<string>>
    {
        private readonly IPayloadSerializer<string> _inner = new StringPayload();

        public string Format => _inner.Format;

        public ulong Schema => _inner.Schema;

        public void Serialize(System.Buffers.IBufferWriter<byte> destination, Answer<string> value) =>
            System.Buffers.BuffersExtensions.Write(destination, new byte[100]);

        public Answer<string> Deserialize(ReadOnlyMemory<byte> payload) => default;
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
