using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using ShmIpc.Benchmarks.Transports.OfChannels;

namespace ShmIpc.Benchmarks.Transports.InProcess;

/// <summary>The reading end of a channel within the process. Spins when it is empty.</summary>
internal readonly struct ThreadingChannelReceiver(ChannelReader<Block> reader) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        Block block;
        while (!reader.TryRead(out block))
        {
            Thread.SpinWait(1);
        }

        MemoryMarshal.Write(destination, block);
        return Unsafe.SizeOf<Block>();
    }
}
