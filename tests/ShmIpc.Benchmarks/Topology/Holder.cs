// A consumer that never reads: its lane fills, and the producer waits for it until it is killed.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Holder(PartSettings settings) : IPart
{
    public Sample Run(Lifeline lifeline)
    {
        using ShmByteChannel channel = Meeting.Open(settings);
        using ByteConsumer consumer = channel.CreateConsumer();
        while (!lifeline.StopRequested)
        {
            Thread.Sleep(1);
        }

        return new Sample();
    }
}
