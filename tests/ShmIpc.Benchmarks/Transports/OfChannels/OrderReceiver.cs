using System.Buffers.Binary;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

/// <summary>The reading end of a channel of MessagePack objects. Only the number is copied out: the object is the copy.</summary>
internal readonly struct OrderReceiver(Consumer<Order> consumer) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        Order order = consumer.Read();
        BinaryPrimitives.WriteUInt64LittleEndian(destination, order.Id);
        return sizeof(ulong);
    }
}
