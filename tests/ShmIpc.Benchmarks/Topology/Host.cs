// Creates the channel, with one consumer and one producer, and keeps it there: for those who attach to it.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Host(PartSettings settings) : IPart
{
    public Sample Run(Lifeline lifeline)
    {
        using ShmByteChannel channel = ShmByteChannel.Create(Meeting.ChannelName, settings.ChannelOptions());
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        while (!lifeline.StopRequested)
        {
            Thread.Sleep(1);
        }

        return new Sample();
    }
}
