// Sends each message back, with `await foreach` over those that come, until the last one of a ping.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class AsyncEcho(Producer<Block> replies, Consumer<Block> requests) : IRole
{
    public Sample Run() => RunAsync().GetAwaiter().GetResult();

    private async Task<Sample> RunAsync()
    {
        long operations = 0;
        await foreach (Block block in requests.ReadAllAsync())
        {
            if (block.Number == Measurement.LastNumber)
            {
                break;
            }

            if (!replies.TryWrite(block))
            {
                await replies.WriteAsync(block);
            }

            operations++;
        }

        return new Sample { Operations = operations, Preemptions = Measurement.Preemptions() };
    }
}
