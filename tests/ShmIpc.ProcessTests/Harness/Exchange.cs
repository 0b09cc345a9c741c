// Shows that a channel or a value works: every byte of its memory is written and read, so that no fault can come later.

using ShmIpc.Channels;

namespace ShmIpc.ProcessTests.Harness;

internal static class Exchange
{
    private const int Laps = 2;
    private static readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>Two laps of the producer's lane, message by message, the consumer reading nothing else.</summary>
    public static void Through(ByteProducer producer, ByteConsumer consumer, long laneCapacityBytes)
    {
        // Small enough that the producer, on this very thread, never waits for what the consumer has read and not given back yet.
        int size = Math.Min(producer.MaxMessageBytes / 4, _buffer.Length);
        for (long sent = 0; sent < Laps * laneCapacityBytes; sent += size)
        {
            Message.Fill(_buffer.AsSpan(0, size), 1, sent);
            producer.Write(_buffer.AsSpan(0, size), ChildProcess.Patience);
            ReadOnlySpan<byte> payload = consumer.Read(ChildProcess.Patience).Payload;
            Refusal.Require(payload.SequenceEqual(_buffer.AsSpan(0, size)), "The message came out as another one.");
        }
    }

    /// <summary>A producer and a consumer of their own, which leave again.</summary>
    public static void Through(ShmByteChannel channel, long laneCapacityBytes)
    {
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        Through(producer, consumer, laneCapacityBytes);
    }
}
