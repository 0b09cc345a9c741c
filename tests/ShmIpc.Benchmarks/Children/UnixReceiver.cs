namespace ShmIpc.Benchmarks.Children;

/// <summary>The reading end of a Unix stream socket.</summary>
internal readonly struct UnixReceiver(UnixFrames frames) : IReceiver
{
    public int Receive(Span<byte> destination) => frames.Next(destination);
}
