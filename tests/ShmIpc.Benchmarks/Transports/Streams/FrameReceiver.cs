namespace ShmIpc.Benchmarks.Transports.Streams;

/// <summary>The reading end of a byte stream: a Unix socket or a pipe.</summary>
internal readonly struct FrameReceiver(Frames frames) : IReceiver
{
    public int Receive(Span<byte> destination) => frames.Next(destination);
}
