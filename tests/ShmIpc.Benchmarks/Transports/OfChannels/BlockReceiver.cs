using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

/// <summary>The reading end of a channel of blittable structs.</summary>
internal readonly struct BlockReceiver(Consumer<Block> consumer) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        Block block = consumer.Read();
        MemoryMarshal.Write(destination, block);
        return Unsafe.SizeOf<Block>();
    }
}
