using System.Buffers.Binary;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

/// <summary>The writing end of a channel of MessagePack objects: always the same one, with the message's number.</summary>
internal readonly struct OrderSender(Producer<Order> producer, Order order) : ISender
{
    public bool Send(ReadOnlySpan<byte> payload)
    {
        order.Id = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        if (!producer.TryWrite(order))
        {
            producer.Write(order);
        }

        return true;
    }
}
