// The jobs that are under way, in the pool. A job leaves the ledger exactly once, by whoever takes it out first: its answer, its caller's
// cancellation, its timeout, the death of too many workers, or the pool's end. That is what makes one answer of however many runs.

using System.Diagnostics.CodeAnalysis;

namespace ShmIpc.Workers;

#pragma warning disable CA1001 // neither holds more than memory, and late callers may still come at the pool's end
internal sealed class JobLedger(PoolControl control, int maxJobs)
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _room = new(maxJobs);
    private readonly PendingJob?[] _jobs = new PendingJob?[maxJobs];
    private readonly Stack<int> _free = new(Enumerable.Range(0, maxJobs));
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _emptied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _sequence;
    private string? _closed;

    /// <summary>Cancelled when no further job is taken.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>Done when the ledger is closed and empty.</summary>
    public Task Emptied => _emptied.Task;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return maxJobs - _free.Count;
            }
        }
    }

    /// <summary>Takes a job in, and gives it its number. Waits while there are as many as there may be.</summary>
    /// <exception cref="WorkerPoolException">The pool takes no further jobs.</exception>
    public async ValueTask AddAsync(PendingJob job, CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        if (!_room.Wait(0, cancellationToken))
        {
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            try
            {
                await _room.WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                ThrowIfClosed();
                throw;
            }
        }

        lock (_lock)
        {
            ThrowIfClosed();
            int slot = _free.Pop();
            job.Number = PoolControlLayout.JobNumber(++_sequence, slot);
            _jobs[slot] = job;
            control.Begin(job.Number);
        }
    }

    /// <summary>Takes a job out. False when somebody else has: then its fate is decided.</summary>
    /// <param name="number">Whatever a worker says.</param>
    /// <param name="isAbandoned">True when it may be running still: then its worker is told.</param>
    /// <param name="job">The job.</param>
    public bool TryTake(ulong number, bool isAbandoned, [NotNullWhen(true)] out PendingJob? job)
    {
        lock (_lock)
        {
            if (!TryFindInLock(number, out job))
            {
                return false;
            }

            int slot = PoolControlLayout.SlotOf(number);
            _jobs[slot] = null;
            _free.Push(slot);
            control.End(number, isAbandoned);
            if (_closed is not null && _free.Count == maxJobs)
            {
                _emptied.TrySetResult();
            }
        }

        _room.Release();
        return true;
    }

    /// <summary>A worker has died with a job in hand. Returns how many have, 0 when nobody waits for it.</summary>
    public int AddDeath(ulong number, WorkerExit exit)
    {
        lock (_lock)
        {
            if (!TryFindInLock(number, out PendingJob? job))
            {
                return 0;
            }

            job.LastExit = exit;
            return ++job.Deaths;
        }
    }

    /// <summary>Takes no further jobs, for that reason.</summary>
    public void Close(string reason)
    {
        lock (_lock)
        {
            if (_closed is not null)
            {
                return;
            }

            _closed = reason;
            if (_free.Count == maxJobs)
            {
                _emptied.TrySetResult();
            }
        }

        _closing.Cancel();
    }

    /// <summary>Whatever is not answered fails.</summary>
    public void FailAll(Func<Exception> error)
    {
        ulong[] left;
        lock (_lock)
        {
            left = [.. _jobs.OfType<PendingJob>().Select(job => job.Number)];
        }

        foreach (ulong number in left)
        {
            if (TryTake(number, isAbandoned: true, out PendingJob? job))
            {
                job.Fail(error());
            }
        }
    }

    private void ThrowIfClosed()
    {
        if (_closed is { } reason)
        {
            throw new WorkerPoolException(reason);
        }
    }

    private bool TryFindInLock(ulong number, [NotNullWhen(true)] out PendingJob? job)
    {
        int slot = PoolControlLayout.SlotOf(number);
        job = slot < maxJobs ? _jobs[slot] : null;
        if (job?.Number == number)
        {
            return true;
        }

        job = null;
        return false;
    }
}
