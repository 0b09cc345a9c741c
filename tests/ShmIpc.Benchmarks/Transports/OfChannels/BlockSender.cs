using System.Runtime.InteropServices;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

/// <summary>The writing end of a channel of blittable structs.</summary>
internal readonly struct BlockSender(Producer<Block> producer) : ISender
{
    public bool Send(ReadOnlySpan<byte> payload)
    {
        Block block = MemoryMarshal.Read<Block>(payload);
        if (!producer.TryWrite(block))
        {
            producer.Write(block);
        }

        return true;
    }
}
