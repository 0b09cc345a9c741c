using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Somebody makes a channel.</summary>
internal abstract class ChannelCreation : Creation
{
    protected virtual ShmChannelOptions Options =>
        new() { Root = Root, LaneCapacityBytes = 4096, MaxProducers = 2, MaxGroups = 2, MaxParticipants = 4 };

    protected override bool Exists => ShmChannel.Exists(Name, Root);

    protected override void Open() => Use(ShmByteChannel.Open(Name, Options));

    protected override void OpenOrCreate() => Use(ShmByteChannel.CreateOrOpen(Name, Options));

    protected override bool Delete() => ShmChannel.Delete(Name, Root);

    /// <summary>A message passes through every lane, to every group.</summary>
    private static void Use(ShmByteChannel opened)
    {
        using ShmByteChannel channel = opened;
        ShmGroup[] required = [.. channel.Groups];
        using ByteProducer first = channel.CreateProducer();
        using ByteProducer second = channel.CreateProducer();
        ConsumerOptions[] all = required.Length == 0
            ? [new() { Start = StartPosition.Latest }]
            : [.. required.Select(group => new ConsumerOptions { Group = group.Name, Kind = group.Kind, Durable = true })];
        ByteConsumer[] consumers = [.. all.Select(channel.CreateConsumer)];
        first.Write([1], Patience);
        second.Write([2], Patience);
        foreach (ByteConsumer consumer in consumers)
        {
            Assert.Equal(3, consumer.Read(Patience).Payload[0] + consumer.Read(Patience).Payload[0]);
            consumer.Dispose();
        }
    }
}
