using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.MicroBenchmarks;

/// <summary>A channel of ticks with one producer and one consumer, both here, and nobody else.</summary>
internal sealed class TypedChannel : IDisposable
{
    private readonly ShmChannel<Tick> _channel;

    public TypedChannel(IPayloadSerializer<Tick> serializer, ShmChannelOptions options)
    {
        _channel = ShmChannel.Create(PrivateChannel.NewName(), serializer, options);
        Producer = _channel.CreateProducer();
        Consumer = _channel.CreateConsumer();
    }

    public Producer<Tick> Producer { get; }

    public Consumer<Tick> Consumer { get; }

    public void Empty()
    {
        while (Consumer.TryRead(out _))
        {
        }

        Consumer.Acknowledge();
    }

    public void Dispose()
    {
        Consumer.Dispose();
        Producer.Dispose();
        _channel.Dispose();
    }
}
