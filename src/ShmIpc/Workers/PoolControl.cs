// The pool's side of the control words (PoolControlLayout). Everything goes through one lock, because the memory is unmapped at the
// pool's end while others may still ask; nothing here is on the path of a job but two stores.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal sealed class PoolControl : IDisposable
{
    private readonly Lock _lock = new();
    private readonly MemoryMapping _mapping;
    private readonly MappedSpan _words;
    private bool _isClosed;

    /// <param name="memory">An empty memory file; its length is sealed.</param>
    public PoolControl(SafeFileHandle memory)
    {
        _mapping = MemoryMapping.MapFile(memory, 0, PoolControlLayout.TotalBytes);
        try
        {
            _words = _mapping.Whole;
            LinuxFile.SealLength(memory);
        }
        catch
        {
            _mapping.Dispose();
            throw;
        }
    }

    /// <summary>From now on the job is under way.</summary>
    public void Begin(ulong job)
    {
        lock (_lock)
        {
            if (!_isClosed)
            {
                // SYNC: a job is under way before a worker can read it (the lane's commit is behind this store)
                Atomics.Release(ref _words.UInt64(PoolControlLayout.JobAt(PoolControlLayout.SlotOf(job))), job);
            }
        }
    }

    /// <summary>Nobody waits for the job any more. A worker that has it in hand is rung up.</summary>
    public void End(ulong job, bool isAbandoned)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }

            Atomics.Release(ref _words.UInt64(PoolControlLayout.JobAt(PoolControlLayout.SlotOf(job))), 0);
            if (!isAbandoned)
            {
                return;
            }

            // SYNC: abandoned job or current job. Either the worker that takes this job sees that it has ended, or we see that it has it.
            Atomics.FullFence();
            for (int worker = 0; worker < WorkerPoolOptions.MaxWorkers; worker++)
            {
                if (Atomics.Acquire(ref Word(worker, PoolControlLayout.CurrentOffset)) == job)
                {
                    RingInLock(worker);
                }
            }
        }
    }

    /// <summary>Makes a place ready for its next process. The last one must have ended.</summary>
    public void Reset(int worker)
    {
        lock (_lock)
        {
            if (!_isClosed)
            {
                Atomics.Store(ref Word(worker, PoolControlLayout.StopOffset), 0);
                Atomics.Store(ref Word(worker, PoolControlLayout.CurrentOffset), 0);
                Atomics.Release(ref Word(worker, PoolControlLayout.ExitOffset), 0);
            }
        }
    }

    /// <summary>Tells a worker to take no further job and to end.</summary>
    public void Stop(int worker)
    {
        lock (_lock)
        {
            if (!_isClosed)
            {
                Atomics.Release(ref Word(worker, PoolControlLayout.StopOffset), 1);
                RingInLock(worker);
            }
        }
    }

    /// <summary>The job that a worker has in hand, or had when it died; 0 for none, and above
    /// <see cref="PoolControlLayout.Taking"/> while it takes one and has not said which.</summary>
    public ulong Current(int worker)
    {
        lock (_lock)
        {
            return _isClosed ? 0 : Atomics.Acquire(ref Word(worker, PoolControlLayout.CurrentOffset));
        }
    }

    /// <summary>The exit code that a worker left behind, where the kernel's is not to be had; null when it did not end by itself.</summary>
    public int? ExitCode(int worker)
    {
        lock (_lock)
        {
            ulong word = _isClosed ? 0 : Atomics.Acquire(ref Word(worker, PoolControlLayout.ExitOffset));
            return word < PoolControlLayout.HasExited ? null : (int)(uint)word;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isClosed)
            {
                _isClosed = true;
                _mapping.Dispose();
            }
        }
    }

    private void RingInLock(int worker)
    {
        int bell = PoolControlLayout.PlaceAt(worker) + PoolControlLayout.BellOffset;
        Atomics.Increment(ref _words.UInt32(bell));
        _ = Futex.Wake(_words.Address(bell), int.MaxValue);
    }

    private ref ulong Word(int worker, int offset) => ref _words.UInt64(PoolControlLayout.PlaceAt(worker) + offset);
}
