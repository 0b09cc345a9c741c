// The typed channels of one child, as ChannelEnds is for byte channels.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

internal sealed class TypedEnds<T>(ChildSettings settings, IPayloadSerializer<T> serializer) : OpenEnds
{
    /// <summary>Waits until the channel has a consumer, so that nothing is overwritten unread. Ask for the own consumer first.</summary>
    public Producer<T> Producer(string name)
    {
        ShmChannel<T> channel = Open(name);
        Rendezvous.WaitUntil(() => channel.ConsumerCount > 0, $"consumer of \"{name}\"");
        return Keep(channel.CreateProducer());
    }

    public Consumer<T> Consumer(string name) => Keep(Open(name).CreateConsumer());

    private ShmChannel<T> Open(string name) => Keep(ShmChannel.CreateOrOpen(name, serializer, settings.ChannelOptions()));
}
