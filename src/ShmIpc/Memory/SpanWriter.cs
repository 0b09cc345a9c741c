// What is handed to Write: it has the bytes for as long as it runs. `scoped` makes the compiler refuse whatever would keep the span.

namespace ShmIpc.Memory;

/// <summary>Writes mapped memory in place.</summary>
/// <param name="bytes">The bytes; they cannot leave the callback.</param>
public delegate void SpanWriter(scoped Span<byte> bytes);
