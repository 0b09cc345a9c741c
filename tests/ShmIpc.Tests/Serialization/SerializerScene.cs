using System.Buffers;
using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

/// <summary>A channel of which one end has the serializer under test and the other end may write any bytes at all.</summary>
internal sealed class SerializerScene<T> : IDisposable
{
    private readonly ScratchRoot _root = new();
    private readonly ShmByteChannel _bytes;
    private readonly ShmChannel<T> _channel;

    public SerializerScene(IPayloadSerializer<T> serializer, int capacityBytes = 65536)
    {
        ShmChannelOptions options = new() { Root = _root.Path, LaneCapacityBytes = capacityBytes };
        _bytes = ShmByteChannel.Create("scene", options);
        _channel = ShmChannel.Open("scene", new AsBytes(serializer), options);
        Producer = _channel.CreateProducer();
        Hostile = _bytes.CreateProducer();
        Consumer = _channel.CreateConsumer();
    }

    public Producer<T> Producer { get; }

    public ByteProducer Hostile { get; }

    public Consumer<T> Consumer { get; }

    public int MaxMessageBytes => _channel.MaxMessageBytes;

    /// <summary>Sends a message there and back.</summary>
    public T Exchange(T message)
    {
        Assert.True(Producer.TryWrite(message));
        Assert.True(Consumer.TryRead(out T? got));
        return got;
    }

    /// <summary>What the reader makes of bytes; after a refusal it must go on with the next message.</summary>
    public ShmPayloadException? Read(ReadOnlySpan<byte> payload, out T? value)
    {
        Hostile.Write(payload);
        try
        {
            Assert.True(Consumer.TryRead(out value));
            return null;
        }
        catch (ShmPayloadException refused)
        {
            Assert.Contains($"{payload.Length} bytes", refused.Message, StringComparison.Ordinal);
            Assert.NotNull(refused.InnerException);
            value = default;
            return refused;
        }
    }

    public ShmPayloadException Refused(ReadOnlySpan<byte> payload, params string[] parts)
    {
        ShmPayloadException? refused = Read(payload, out T? value);
        Assert.True(refused is not null, $"{value} was read from {Convert.ToHexString(payload[..Math.Min(payload.Length, 64)])}");
        foreach (string part in parts)
        {
            Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        }

        return refused;
    }

    public void Dispose()
    {
        Consumer.Dispose();
        Hostile.Dispose();
        Producer.Dispose();
        _channel.Dispose();
        _bytes.Dispose();
        _root.Dispose();
    }

    private sealed class AsBytes(IPayloadSerializer<T> inner) : IPayloadSerializer<T>
    {
        public string Format => "bytes";

        public void Serialize(IBufferWriter<byte> destination, T value) => inner.Serialize(destination, value);

        public T Deserialize(ReadOnlyMemory<byte> payload) => inner.Deserialize(payload);
    }
}
