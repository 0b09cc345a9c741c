// Takes messages with `await foreach`. Allocation is that of the whole process, since an await may go on on another thread.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class AsyncReceiver(Consumer<Block> consumer, ChildSettings settings) : IRole
{
    public Sample Run() => RunAsync().GetAwaiter().GetResult();

    private async Task<Sample> RunAsync()
    {
        RateClock clock = new(settings.Measure);
        long warmUp = Measurement.ToTicks(settings.WarmUp);
        long warmedUp = long.MaxValue;
        long allocatedBefore = 0;
        bool measures = false;
        ulong number = 0;
        await foreach (Block block in consumer.ReadAllAsync())
        {
            if (block.Number != number)
            {
                Measurement.ThrowWrongMessage(number, block.Number);
            }

            number++;
            if (number % Measurement.Batch != 0)
            {
                continue;
            }

            if (measures)
            {
                if (!clock.Continues(number))
                {
                    break;
                }
            }
            else if (warmedUp == long.MaxValue)
            {
                warmedUp = Stopwatch.GetTimestamp() + warmUp; // the sender may have been starting until now
            }
            else if (Stopwatch.GetTimestamp() >= warmedUp)
            {
                measures = true;
                allocatedBefore = GC.GetTotalAllocatedBytes();
                clock.Start(number);
            }
        }

        return clock.Result(GC.GetTotalAllocatedBytes() - allocatedBefore);
    }
}
