// Sends numbered messages as fast as they are taken, until it is told to stop or nobody is left to take them. How they are sent is up
// to those derived from it.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Pairs;

internal abstract class Sending(Lifeline lifeline, ChildSettings settings) : IRole
{
    /// <summary>The number of the next message. The field belongs to those derived from this, next to their loops.</summary>
    protected abstract ulong Number { get; }

    public Sample Run()
    {
        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        bool running = true;
        while (running && Stopwatch.GetTimestamp() < end)
        {
            running = RunBatch();
        }

        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        ulong firstNumber = Number;
        while (running && !lifeline.StopRequested)
        {
            running = RunBatch();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        return new Sample
        {
            Operations = (long)Number,
            AllocatedBytes = allocated,
            AllocationOperations = (long)(Number - firstNumber),
            Preemptions = Measurement.Preemptions(),
        };
    }

    /// <summary>Sends some messages. False: the other end has gone.</summary>
    protected abstract bool RunBatch();
}
