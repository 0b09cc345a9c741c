using System.Buffers;
using System.Buffers.Binary;
using MessagePack;
using ShmIpc.Benchmarks.Transports.OfChannels;

namespace ShmIpc.Benchmarks.Transports.InProcess;

/// <summary>MessagePack alone: out of the buffer that was written last.</summary>
internal readonly struct DeserializingReceiver(ArrayBufferWriter<byte> buffer) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        Order order = MessagePackSerializer.Deserialize<Order>(buffer.WrittenMemory);
        BinaryPrimitives.WriteUInt64LittleEndian(destination, order.Id);
        return sizeof(ulong);
    }
}
