using System.Runtime.InteropServices;
using System.Threading.Channels;
using ShmIpc.Benchmarks.Transports.OfChannels;

namespace ShmIpc.Benchmarks.Transports.InProcess;

/// <summary>The writing end of a channel within the process. Spins when it is full.</summary>
internal readonly struct ThreadingChannelSender(ChannelWriter<Block> writer) : ISender
{
    public bool Send(ReadOnlySpan<byte> payload)
    {
        Block block = MemoryMarshal.Read<Block>(payload);
        while (!writer.TryWrite(block))
        {
            Thread.SpinWait(1);
        }

        return true;
    }
}
