// Reads from a byte channel, as a user would.

using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

internal readonly struct ChannelReceiver(ByteConsumer consumer) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        ShmRecord record = consumer.Read();
        record.CopyTo(destination);
        return record.Payload.Length;
    }
}
