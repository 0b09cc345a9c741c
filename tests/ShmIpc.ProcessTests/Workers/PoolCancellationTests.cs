// Jobs that nobody waits for any more, and jobs that take too long.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolCancellationTests : PoolTest
{
    [Fact]
    public async Task Cancellation_reaches_the_worker()
    {
        using ScratchRoot root = new();
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(1), Cancellation);
        string who = await Soon(pool.RunAsync("who", Cancellation));
        using CancellationTokenSource cancellation = new();
        Task<string> waiting = pool.RunAsync($"wait {root.FileOf("begun")}", cancellation.Token);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins");
        Assert.Equal(WorkerState.Busy, Assert.Single(pool.Workers).State);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(waiting));

        // The body waits a minute unless it is told: the one worker is free only if it was.
        Assert.Equal(who, await Soon(pool.RunAsync("who", Cancellation)));
        Assert.Equal(0, Assert.Single(pool.Workers).Restarts);
    }

    [Fact]
    public async Task A_job_that_is_cancelled_before_it_begins_never_runs()
    {
        using ScratchRoot root = new();
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(1), Cancellation);
        using CancellationTokenSource first = new();
        Task<string> waiting = pool.RunAsync($"wait {root.FileOf("begun")}", first.Token);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins");
        using CancellationTokenSource second = new();
        Task<string> behind = pool.RunAsync("count", second.Token);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(behind));
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(waiting));
        Assert.Equal("1", await Soon(pool.RunAsync("runs", Cancellation)));
    }

    [Fact]
    public async Task Leaving_a_stream_cancels_what_is_under_way()
    {
        using ScratchRoot root = new();
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(1), Cancellation);
        await foreach (string result in pool.RunAsync(["nap 1", $"wait {root.FileOf("begun")}", "count"], Cancellation))
        {
            Assert.Equal("rested", result);
            Eventually.True(() => File.Exists(root.FileOf("begun")), "the second job begins");
            break;
        }

        Assert.Equal("1", await Soon(pool.RunAsync("runs", Cancellation)));
    }

    [Fact]
    public async Task A_job_that_takes_too_long_fails_and_its_worker_is_replaced()
    {
        using ScratchRoot root = new();
        WorkerPoolOptions options = Options(1) with { JobTimeout = JobTimeout };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        int before = int.Parse(await Soon(pool.RunAsync("who", Cancellation)), CultureInfo.InvariantCulture);
        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(
            () => Soon(pool.RunAsync($"sleep {root.FileOf("begun")}", Cancellation)));
        Assert.Contains("JobTimeout", error.Message, StringComparison.Ordinal);
        int after = int.Parse(await Soon(pool.RunAsync("who", Cancellation)), CultureInfo.InvariantCulture);
        Assert.NotEqual(before, after);
        Assert.False(Directory.Exists($"/proc/{before}"));
        WorkerStatus worker = Assert.Single(pool.Workers);
        Assert.Equal((1, new WorkerExit(null, 9)), (worker.Restarts, worker.LastExit));
    }

    [Fact]
    public async Task A_cancelled_job_that_does_not_listen_is_ended_by_the_timeout()
    {
        using ScratchRoot root = new();
        WorkerPoolOptions options = Options(1) with { JobTimeout = JobTimeout };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        using CancellationTokenSource cancellation = new();
        Task<string> deaf = pool.RunAsync($"sleep {root.FileOf("begun")}", cancellation.Token);
        Eventually.True(() => File.Exists(root.FileOf("begun")), "the job begins");
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Soon(deaf));
        _ = await Soon(pool.RunAsync("who", Cancellation));
        Assert.Equal(1, Assert.Single(pool.Workers).Restarts);
    }
}
