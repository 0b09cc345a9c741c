// Takes messages as fast as they come and measures from the end of its warm-up on. How they are taken is up to those derived from it.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Pairs;

internal abstract class Receiving(ChildSettings settings) : IRole
{
    /// <summary>The number of the next message. The field belongs to those derived from this, next to their loops.</summary>
    protected abstract ulong Number { get; }

    public Sample Run()
    {
        RateClock clock = new(settings.Measure);
        RunBatch(); // the sender may still be starting
        long warmedUp = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        while (Stopwatch.GetTimestamp() < warmedUp)
        {
            RunBatch();
        }

        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        clock.Start(Number);
        do
        {
            RunBatch();
        }
        while (clock.Continues(Number));

        return clock.Result(GC.GetAllocatedBytesForCurrentThread() - allocatedBefore);
    }

    /// <summary>Takes some messages and checks each.</summary>
    protected abstract void RunBatch();
}
