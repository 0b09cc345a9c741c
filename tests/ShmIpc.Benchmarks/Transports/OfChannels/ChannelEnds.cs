// The channels of one child: `there` carries messages to the echo or receiver, `back` carries the replies.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

internal sealed class ChannelEnds(ChildSettings settings) : OpenEnds
{
    /// <summary>Waits until the channel has a consumer, so that nothing is overwritten unread. Ask for the own consumer first.</summary>
    public ByteProducer Producer(string name)
    {
        ShmByteChannel channel = Open(name);
        Rendezvous.WaitUntil(() => channel.ConsumerCount > 0, $"consumer of \"{name}\"");
        return Keep(channel.CreateProducer());
    }

    public ByteConsumer Consumer(string name) => Keep(Open(name).CreateConsumer());

    private ShmByteChannel Open(string name) => Keep(ShmByteChannel.CreateOrOpen(name, settings.ChannelOptions()));
}
