namespace ShmIpc.Benchmarks.Transports;

/// <summary>The reading end of a transport. Implemented by readonly structs, so that the loops over it compile to direct calls.</summary>
internal interface IReceiver
{
    /// <summary>Waits for one message, copies it out and returns its length in bytes.</summary>
    int Receive(Span<byte> destination);
}
