// A job leaves the ledger once, whoever comes for it, and its slot is free for the next.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Regions;
using ShmIpc.Workers;
using Xunit;

namespace ShmIpc.Tests.Workers;

public sealed class JobLedgerTests : IDisposable
{
    private const int MaxJobs = 4;
    private static readonly WorkerExit _killed = new(null, 9);

    private readonly SafeFileHandle _memory = RegionFile.NewMemory("ledger");
    private readonly PoolControl _control;
    private readonly JobLedger _ledger;

    public JobLedgerTests()
    {
        _control = new PoolControl(_memory);
        _ledger = new JobLedger(_control, MaxJobs);
    }

    public void Dispose()
    {
        _control.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public async Task Whoever_comes_for_a_job_at_once_one_of_them_gets_it_and_its_slot_is_free_again()
    {
        const int Rounds = 20_000;
        PendingJob<int> job = new();
        int taken = 0;
        using Barrier together = new(3, barrier =>
        {
            if (barrier.CurrentPhaseNumber % 2 == 0)
            {
                job = new PendingJob<int>();
                Assert.True(_ledger.AddAsync(job, CancellationToken.None).AsTask().IsCompletedSuccessfully, "There is room without a wait.");
                return;
            }

            Assert.True(job.Result.IsCompleted);
            Assert.Equal(0, _ledger.Count);
        });
        Action<PendingJob>[] ends =
        [
            mine => ((PendingJob<int>)mine).Complete(1), // its answer
            mine => mine.Cancel(new CancellationToken(canceled: true)), // its caller
            mine => mine.Fail(new TimeoutException()), // its timeout
        ];
        await Task.WhenAll(ends.Select(end => Task.Factory.StartNew(() => Race(end), TaskCreationOptions.LongRunning)));
        Assert.Equal(Rounds, taken);

        void Race(Action<PendingJob> end)
        {
            for (int round = 0; round < Rounds; round++)
            {
                together.SignalAndWait(TestContext.Current.CancellationToken);
                ulong number = job.Number;
                _ = _ledger.AddDeath(number, _killed);
                if (_ledger.TryTake(number, isAbandoned: true, out PendingJob? mine))
                {
                    end(mine); // throws when it is answered already
                    _ = Interlocked.Increment(ref taken);
                }

                together.SignalAndWait(TestContext.Current.CancellationToken);
            }
        }
    }

    [Fact]
    public async Task What_comes_late_meets_nobody_also_when_the_slot_has_another_job()
    {
        PendingJob<int> first = new();
        await _ledger.AddAsync(first, CancellationToken.None);
        Assert.True(_ledger.TryTake(first.Number, isAbandoned: false, out PendingJob? job));
        Assert.Same(first, job);
        PendingJob<int> second = new();
        await _ledger.AddAsync(second, CancellationToken.None);
        Assert.Equal(PoolControlLayout.SlotOf(first.Number), PoolControlLayout.SlotOf(second.Number));
        Assert.False(_ledger.TryTake(first.Number, isAbandoned: true, out _));
        Assert.Equal(0, _ledger.AddDeath(first.Number, _killed));
        foreach (ulong nonsense in (ulong[])[0, ulong.MaxValue, second.Number + MaxJobs, second.Number ^ (1UL << 40)])
        {
            Assert.False(_ledger.TryTake(nonsense, isAbandoned: true, out _));
        }

        Assert.Equal(1, _ledger.AddDeath(second.Number, _killed));
        Assert.Equal(2, _ledger.AddDeath(second.Number, default));
        Assert.Equal((2, default(WorkerExit)), (second.Deaths, second.LastExit));
        Assert.Equal(1, _ledger.Count);
    }

    [Fact]
    public async Task A_ledger_that_closes_takes_no_more_and_is_empty_when_the_last_is_answered()
    {
        PendingJob<int>[] jobs = [.. Enumerable.Range(0, MaxJobs).Select(_ => new PendingJob<int>())];
        foreach (PendingJob<int> job in jobs)
        {
            await _ledger.AddAsync(job, CancellationToken.None);
        }

        using CancellationTokenSource cancellation = new();
        Task cancelled = _ledger.AddAsync(new PendingJob<int>(), cancellation.Token).AsTask();
        Task refused = _ledger.AddAsync(new PendingJob<int>(), CancellationToken.None).AsTask();
        Assert.False(cancelled.IsCompleted || refused.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _ledger.Close("closed for today");
        WorkerPoolException error = await Assert.ThrowsAsync<WorkerPoolException>(() => refused);
        Assert.Equal("closed for today", error.Message);
        Assert.True(_ledger.TryTake(jobs[0].Number, isAbandoned: false, out _));
        Assert.False(_ledger.Emptied.IsCompleted);
        _ledger.FailAll(() => new TimeoutException());
        await _ledger.Emptied.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.False(jobs[0].Result.IsCompleted); // whoever took it answers it
        Assert.All(jobs[1..], job => Assert.IsType<TimeoutException>(job.Result.Exception!.InnerException));
        await Assert.ThrowsAsync<WorkerPoolException>(() => _ledger.AddAsync(new PendingJob<int>(), CancellationToken.None).AsTask());
    }
}
