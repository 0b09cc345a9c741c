// How users reach the bytes: in place, in a callback that has them for as long as it runs, or by copy. A span would be a pointer once
// its memory is gone, so it is never returned: the compiler keeps it inside the callback, and this class keeps the memory there meanwhile.

using System.Buffers;
using System.Runtime.InteropServices;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    /// <summary>Reads a range in place. The memory stays mapped and readable until the callback returns, also past
    /// <see cref="Dispose"/>.</summary>
    /// <param name="offset">The first byte, counted from the start of the mapping.</param>
    /// <param name="lengthBytes">How many bytes. In a mirrored mapping the range may reach up to twice <see cref="LengthBytes"/>.</param>
    /// <param name="read">What reads it, once, on this thread. What it throws comes out of here.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of the range is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    /// <exception cref="ShmForkedProcessException">This is a forked child, and the parent had kept pages to itself
    /// (<see cref="MemoryAdvice.DontFork"/>).</exception>
    public void Read(long offset, int lengthBytes, SpanReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        read(view.Bytes);
    }

    /// <inheritdoc cref="Read(long, int, SpanReader)"/>
    /// <typeparam name="TResult">What the callback finds; not a span.</typeparam>
    /// <returns>What the callback returned.</returns>
    public TResult Read<TResult>(long offset, int lengthBytes, SpanReader<TResult> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        return read(view.Bytes);
    }

    /// <inheritdoc cref="Read(long, int, SpanReader)"/>
    /// <typeparam name="TState">What the callback is given, so that it captures nothing and costs no object; a span can be.</typeparam>
    /// <param name="offset">The first byte, counted from the start of the mapping.</param>
    /// <param name="lengthBytes">How many bytes. In a mirrored mapping the range may reach up to twice <see cref="LengthBytes"/>.</param>
    /// <param name="state">What the callback is given.</param>
    /// <param name="read">What reads it, once, on this thread. What it throws comes out of here.</param>
    public void Read<TState>(long offset, int lengthBytes, TState state, ReadOnlySpanAction<byte, TState> read)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        read(view.Bytes, state);
    }

    /// <inheritdoc cref="Read(long, int, SpanReader)"/>
    /// <typeparam name="TState">What the callback is given, so that it captures nothing and costs no object; a span can be.</typeparam>
    /// <typeparam name="TResult">What the callback finds; not a span.</typeparam>
    /// <param name="offset">The first byte, counted from the start of the mapping.</param>
    /// <param name="lengthBytes">How many bytes. In a mirrored mapping the range may reach up to twice <see cref="LengthBytes"/>.</param>
    /// <param name="state">What the callback is given.</param>
    /// <param name="read">What reads it, once, on this thread. What it throws comes out of here.</param>
    /// <returns>What the callback returned.</returns>
    public TResult Read<TState, TResult>(long offset, int lengthBytes, TState state, SpanReader<TState, TResult> read)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        return read(view.Bytes, state);
    }

    /// <summary>Reads all of the memory in place; a mirror does not count.</summary>
    /// <exception cref="InvalidOperationException">Part of it is closed (<see cref="MemoryAccess.None"/>), or it is longer than 2 GiB, the
    /// most that a span holds.</exception>
    /// <inheritdoc cref="Read(long, int, SpanReader)"/>
    public void Read(SpanReader read) => Read(0, SpanLength(), read);

    /// <inheritdoc cref="Read(SpanReader)"/>
    /// <typeparam name="TResult">What the callback finds; not a span.</typeparam>
    /// <returns>What the callback returned.</returns>
    public TResult Read<TResult>(SpanReader<TResult> read) => Read(0, SpanLength(), read);

    /// <summary>Writes a range in place. The memory stays mapped and writable until the callback returns, also past
    /// <see cref="Dispose"/> and the end of a <see cref="Writable"/> scope.</summary>
    /// <param name="offset">The first byte, counted from the start of the mapping.</param>
    /// <param name="lengthBytes">How many bytes. In a mirrored mapping the range may reach up to twice <see cref="LengthBytes"/>.</param>
    /// <param name="write">What writes it, once, on this thread; it finds what is there. What it throws comes out of here.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of the range may not be written.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    /// <exception cref="ShmForkedProcessException">This is a forked child, and the parent had kept pages to itself
    /// (<see cref="MemoryAdvice.DontFork"/>).</exception>
    public void Write(long offset, int lengthBytes, SpanWriter write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var view = Open(offset, lengthBytes, writes: true);
        write(view.Bytes);
    }

    /// <inheritdoc cref="Write(long, int, SpanWriter)"/>
    /// <typeparam name="TState">What the callback is given, so that it captures nothing and costs no object; a span can be.</typeparam>
    /// <param name="offset">The first byte, counted from the start of the mapping.</param>
    /// <param name="lengthBytes">How many bytes. In a mirrored mapping the range may reach up to twice <see cref="LengthBytes"/>.</param>
    /// <param name="state">What the callback is given.</param>
    /// <param name="write">What writes it, once, on this thread; it finds what is there. What it throws comes out of here.</param>
    public void Write<TState>(long offset, int lengthBytes, TState state, SpanAction<byte, TState> write)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(write);
        using var view = Open(offset, lengthBytes, writes: true);
        write(view.Bytes, state);
    }

    /// <summary>Writes all of the memory in place; a mirror does not count.</summary>
    /// <exception cref="InvalidOperationException">Part of it may not be written, or it is longer than 2 GiB, the most that a span
    /// holds.</exception>
    /// <inheritdoc cref="Write(long, int, SpanWriter)"/>
    public void Write(SpanWriter write) => Write(0, SpanLength(), write);

    /// <summary>Copies bytes out of the memory.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">Where they go; its length says how many.</param>
    /// <inheritdoc cref="Read(long, int, SpanReader)" path="/exception"/>
    public void ReadAt(long offset, Span<byte> destination)
    {
        using var view = Open(offset, destination.Length, writes: false);
        view.Bytes.CopyTo(destination);
    }

    /// <summary>Copies bytes into the memory.</summary>
    /// <param name="offset">Where the first one goes.</param>
    /// <param name="source">The bytes.</param>
    /// <inheritdoc cref="Write(long, int, SpanWriter)" path="/exception"/>
    public void WriteAt(long offset, ReadOnlySpan<byte> source)
    {
        using var view = Open(offset, source.Length, writes: true);
        source.CopyTo(view.Bytes);
    }

    /// <summary>Reads a value, in this machine's byte order.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="offset">Its first byte; any, aligned or not.</param>
    /// <inheritdoc cref="Read(long, int, SpanReader)" path="/exception"/>
    public T Read<T>(long offset)
        where T : unmanaged
    {
        using var view = Open(offset, sizeof(T), writes: false);
        return MemoryMarshal.Read<T>(view.Bytes);
    }

    /// <summary>Writes a value, in this machine's byte order.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="offset">Its first byte; any, aligned or not.</param>
    /// <param name="value">The value.</param>
    /// <inheritdoc cref="Write(long, int, SpanWriter)" path="/exception"/>
    public void Write<T>(long offset, T value)
        where T : unmanaged
    {
        using var view = Open(offset, sizeof(T), writes: true);
        MemoryMarshal.Write(view.Bytes, in value);
    }

    private int SpanLength() => LengthBytes <= int.MaxValue
        ? (int)LengthBytes
        : throw new InvalidOperationException(
            $"The mapping has {LengthBytes} bytes, and a span holds at most {int.MaxValue}: reach it in parts.");
}
