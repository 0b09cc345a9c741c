// What is handed to Read: it has the bytes for as long as it runs. `scoped` makes the compiler refuse whatever would keep the span.

namespace ShmIpc.Memory;

/// <summary>Reads mapped memory in place.</summary>
/// <param name="bytes">The bytes; they cannot leave the callback.</param>
public delegate void SpanReader(scoped ReadOnlySpan<byte> bytes);

/// <summary>Reads mapped memory in place, and says what it found.</summary>
/// <typeparam name="TResult">What it found.</typeparam>
/// <param name="bytes">The bytes; they cannot leave the callback.</param>
public delegate TResult SpanReader<out TResult>(scoped ReadOnlySpan<byte> bytes);

/// <summary>Reads mapped memory in place with what it is given, and says what it found.</summary>
/// <typeparam name="TState">What it is given, so that it captures nothing; a span is possible.</typeparam>
/// <typeparam name="TResult">What it found.</typeparam>
/// <param name="bytes">The bytes; they cannot leave the callback.</param>
/// <param name="state">What it is given.</param>
public delegate TResult SpanReader<in TState, out TResult>(scoped ReadOnlySpan<byte> bytes, TState state)
    where TState : allows ref struct;
