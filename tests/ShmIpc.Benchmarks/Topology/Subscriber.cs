// Reads until the channel is completed. In a group of its own it gets everything in order, and checks that; a member of a shared group
// gets a part. Either reports the sum of the numbers: each group's is the publisher's.

using System.Threading.Channels;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Subscriber(PartSettings settings) : IPart
{
    public Sample Run(Lifeline lifeline)
    {
        byte[] payload = new byte[settings.PayloadBytes];
        Numbers numbers = new();
        long count = 0;
        ulong sum = 0;
        using ShmByteChannel channel = Meeting.Open(settings);
        using ByteConsumer consumer = Meeting.CreateConsumer(channel, settings);
        ChannelReceiver receiver = new(consumer);
        try
        {
            while (true)
            {
                receiver.Receive(payload);
                count++;
                if (settings.SharedGroup is null)
                {
                    numbers.Check(payload);
                }

                sum = unchecked(sum + Numbers.Read(payload));
            }
        }
        catch (ChannelClosedException)
        {
            // The publisher has completed, and everything was read.
        }

        return new Sample { Operations = count, Checksum = sum, Preemptions = Measurement.Preemptions() };
    }
}
