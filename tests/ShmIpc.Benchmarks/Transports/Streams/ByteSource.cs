namespace ShmIpc.Benchmarks.Transports.Streams;

/// <summary>Waits for bytes and fills in as many as there are. 0: the other end has gone.</summary>
internal delegate int ByteSource(Span<byte> destination);
