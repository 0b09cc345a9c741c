// Single writes into a byte channel, as a user would write them: the call that never waits first, the waiting one when the lane is full.

using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

internal readonly struct ChannelSender(ByteProducer producer) : ISender
{
    public bool Send(ReadOnlySpan<byte> payload)
    {
        if (!producer.TryWrite(payload))
        {
            producer.Write(payload);
        }

        return true;
    }
}
