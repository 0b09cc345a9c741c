// The worker's side of the control words (PoolControlLayout), for its own place. In a worker it lives as long as the process.

using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal sealed class WorkerControl : IDisposable
{
    private static readonly TimeSpan _verdictPatience = TimeSpan.FromSeconds(5);

    private readonly MappedSpan _words;
    private readonly MappedSpan _place;
    private readonly MemoryMapping _mapping;
    private ulong _takings;

    public WorkerControl(SafeFileHandle memory, int worker)
    {
        _mapping = MemoryMapping.MapFile(memory, 0, PoolControlLayout.TotalBytes);
        _words = _mapping.Whole;
        _place = _words.Slice(PoolControlLayout.PlaceAt(worker), PoolControlLayout.PlaceBytes);
    }

    /// <summary>True when the worker was told to stop.</summary>
    public bool IsStopped => Atomics.Acquire(ref _place.UInt64(PoolControlLayout.StopOffset)) != 0;

    /// <summary>What <see cref="Sleep"/> takes. Read it before looking at anything else.</summary>
    public uint Bell => Atomics.Acquire(ref _place.UInt32(PoolControlLayout.BellOffset));

    /// <summary>Says that this worker is about to take a job, before it knows which. Who is stopped between the two keeps a job that nobody
    /// knows to be in its hand; the pool sees this word, another one each time, unchanged for long.</summary>
    public void BeginTaking() =>
        Atomics.Release(ref _place.UInt64(PoolControlLayout.CurrentOffset), PoolControlLayout.Taking | ++_takings);

    /// <summary>Says which job this worker has in hand. False when nobody waits for it any more.</summary>
    public bool TryBegin(ulong job)
    {
        Atomics.Release(ref _place.UInt64(PoolControlLayout.CurrentOffset), job);
        Atomics.FullFence(); // SYNC: abandoned job or current job
        return IsUnderWay(job);
    }

    /// <summary>As <see cref="TryBegin"/>, for a job that was handed out more often than workers may die with it. Only the pool knows how
    /// many have: it takes the job back if they were too many, but may learn of the last death a little later than the job comes here.
    /// Until then this worker has no job in hand, so that neither the wait nor its own death counts against it.</summary>
    public bool TryBeginLater(ulong job)
    {
        BeginTaking();
        long start = Stopwatch.GetTimestamp();
        while (IsUnderWay(job) && Stopwatch.GetElapsedTime(start) < _verdictPatience)
        {
            Thread.Sleep(5);
            BeginTaking();
        }

        return TryBegin(job);
    }

    /// <summary>True while somebody waits for the job.</summary>
    public bool IsUnderWay(ulong job) => Atomics.Acquire(ref _words.UInt64(PoolControlLayout.JobAt(PoolControlLayout.SlotOf(job)))) == job;

    /// <summary>Says that this worker has no job in hand.</summary>
    public void End() => Atomics.Release(ref _place.UInt64(PoolControlLayout.CurrentOffset), 0);

    /// <summary>Leaves the exit code behind.</summary>
    public void SetExitCode(int code) =>
        Atomics.Release(ref _place.UInt64(PoolControlLayout.ExitOffset), PoolControlLayout.HasExited | (uint)code);

    /// <summary>Stops this worker itself, as the pool would: the way of a signal.</summary>
    public void StopSelf()
    {
        Atomics.Release(ref _place.UInt64(PoolControlLayout.StopOffset), 1);
        Ring();
    }

    /// <summary>Has who sleeps look again.</summary>
    public void Ring()
    {
        Atomics.Increment(ref _place.UInt32(PoolControlLayout.BellOffset));
        _ = Futex.Wake(_place.Address(PoolControlLayout.BellOffset), int.MaxValue);
    }

    /// <summary>Sleeps until the pool rings, or has rung since <paramref name="bell"/> was read.</summary>
    public void Sleep(uint bell, TimeSpan atMost) => _ = Futex.Wait(_place.Address(PoolControlLayout.BellOffset), bell, atMost);

    /// <summary>The end of a rehearsal.</summary>
    public void Dispose() => _mapping.Dispose();
}
