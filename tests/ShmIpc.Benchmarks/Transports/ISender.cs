namespace ShmIpc.Benchmarks.Transports;

/// <summary>The writing end of a transport. Implemented by readonly structs, so that the loops over it compile to direct calls.</summary>
internal interface ISender
{
    /// <summary>Copies one message in, waiting for space. False: the other end has gone.</summary>
    bool Send(ReadOnlySpan<byte> payload);
}
