using System.Buffers;
using System.Buffers.Binary;
using MessagePack;
using ShmIpc.Benchmarks.Transports.OfChannels;

namespace ShmIpc.Benchmarks.Transports.InProcess;

/// <summary>MessagePack alone: into a buffer that is used again.</summary>
internal readonly struct SerializingSender(ArrayBufferWriter<byte> buffer, Order order) : ISender
{
    public bool Send(ReadOnlySpan<byte> payload)
    {
        order.Id = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        buffer.ResetWrittenCount();
        MessagePackSerializer.Serialize(buffer, order);
        return true;
    }
}
