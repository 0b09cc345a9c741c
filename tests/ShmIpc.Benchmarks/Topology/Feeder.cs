// One of several producers: writes into a lane of its own as fast as there is room, until it is told to stop.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Feeder(PartSettings settings) : IPart
{
    public Sample Run(Lifeline lifeline)
    {
        byte[] payload = new byte[settings.PayloadBytes];
        ulong number = 0;
        using ShmByteChannel channel = Meeting.Open(settings);
        Meeting.AwaitConsumers(channel, 1);
        using ByteProducer producer = channel.CreateProducer();
        ChannelSender sender = new(producer);
        while (!lifeline.StopRequested)
        {
            for (int i = 0; i < settings.Batch; i++)
            {
                Numbers.Write(payload, settings.Source, number++);
                sender.Send(payload);
            }
        }

        return new Sample { Operations = (long)number, Preemptions = Measurement.Preemptions() };
    }
}
