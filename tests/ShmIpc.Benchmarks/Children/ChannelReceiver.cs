// Reads from a byte channel, as a user would: the call that never waits first, the waiting one when nothing is there.

using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Children;

internal readonly struct ChannelReceiver(ByteConsumer consumer) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        if (!consumer.TryRead(out ShmRecord record))
        {
            record = consumer.Read();
        }

        record.Payload.CopyTo(destination);
        return record.Payload.Length;
    }
}
