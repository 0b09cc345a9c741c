// A worker that is stopped (SIGSTOP, a debugger) where nobody knows that it has a job: it has claimed it, and has not said so yet.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.CrashTests;

public sealed class StoppedWorkerTests
{
    private const string BeforeTheWord = "WorkerControl.TryBegin: Release";

    [Fact]
    public async Task A_job_that_a_stopped_worker_has_claimed_goes_to_another_when_JobTimeout_is_over()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        WorkerPoolOptions options = new()
        {
            Workers = 2,
            JobTimeout = TimeSpan.FromSeconds(1),
            StartTimeout = ChildProcess.Patience,
            StopTimeout = TimeSpan.FromSeconds(20),
            OnOutput = line => TestContext.Current.TestOutputHelper?.WriteLine($"worker {line.Worker}: {line.Line}"),
            OnNotice = text => TestContext.Current.TestOutputHelper?.WriteLine($"pool: {text}"),
        };
        await using WorkerPool<int, int> pool = await WorkerPool.StartAsync<int, int>(StopAtTheNext, options, cancellation);
        int stopped = await pool.RunAsync(1, cancellation).WaitAsync(ChildProcess.Patience, cancellation);
        int place = pool.Workers.Single(worker => worker.ProcessId == stopped).Index;
        Task<int> next;
        do
        {
            // Whoever is free takes it: one of these is claimed by the worker that stops then, and the other one does the rest.
            next = pool.RunAsync(0, cancellation);
            Eventually.True(() => next.IsCompleted || Linux.ThreadStates(stopped).All(state => state == 'T'), "the job is done, or its worker stops");
        }
        while (next.IsCompleted);

        Assert.NotEqual(stopped, await next.WaitAsync(ChildProcess.Patience, cancellation));
        Eventually.True(() => pool.Workers[place] is { State: WorkerState.Idle, Restarts: 1 }, "the worker is replaced");
        Assert.Equal(new WorkerExit(null, Linux.SIGKILL), pool.Workers[place].LastExit);
    }

    private static int StopAtTheNext(int job, WorkerContext context)
    {
        if (job == 1)
        {
            CrashPoint.StopBefore(BeforeTheWord);
        }

        return Environment.ProcessId;
    }
}
