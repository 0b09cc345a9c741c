// Reading and writing, as MemoryMapping does it, on the mapping that the file has at that moment. The callbacks run without the lock: they
// may do anything to the file, and it may grow meanwhile.

using System.Buffers;

namespace ShmIpc.Memory;

public sealed partial class MappedFile
{
    /// <inheritdoc cref="MemoryMapping.Read(long, int, SpanReader)"/>
    public void Read(long offset, int lengthBytes, SpanReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        read(BytesOf(view));
    }

    /// <inheritdoc cref="MemoryMapping.Read{TResult}(long, int, SpanReader{TResult})"/>
    public TResult Read<TResult>(long offset, int lengthBytes, SpanReader<TResult> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        return read(BytesOf(view));
    }

    /// <inheritdoc cref="MemoryMapping.Read{TState}(long, int, TState, ReadOnlySpanAction{byte, TState})"/>
    public void Read<TState>(long offset, int lengthBytes, TState state, ReadOnlySpanAction<byte, TState> read)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        read(BytesOf(view), state);
    }

    /// <inheritdoc cref="MemoryMapping.Read{TState, TResult}(long, int, TState, SpanReader{TState, TResult})"/>
    public TResult Read<TState, TResult>(long offset, int lengthBytes, TState state, SpanReader<TState, TResult> read)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(read);
        using var view = Open(offset, lengthBytes, writes: false);
        return read(BytesOf(view), state);
    }

    /// <inheritdoc cref="MemoryMapping.Write(long, int, SpanWriter)"/>
    public void Write(long offset, int lengthBytes, SpanWriter write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var view = Open(offset, lengthBytes, writes: true);
        write(BytesOf(view));
    }

    /// <inheritdoc cref="MemoryMapping.Write{TState}(long, int, TState, SpanAction{byte, TState})"/>
    public void Write<TState>(long offset, int lengthBytes, TState state, SpanAction<byte, TState> write)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(write);
        using var view = Open(offset, lengthBytes, writes: true);
        write(BytesOf(view), state);
    }

    /// <inheritdoc cref="MemoryMapping.ReadAt"/>
    public void ReadAt(long offset, Span<byte> destination)
    {
        using var view = Open(offset, destination.Length, writes: false);
        BytesOf(view).CopyTo(destination);
    }

    /// <inheritdoc cref="MemoryMapping.WriteAt"/>
    public void WriteAt(long offset, ReadOnlySpan<byte> source)
    {
        using var view = Open(offset, source.Length, writes: true);
        source.CopyTo(BytesOf(view));
    }

    private OpenView? Open(long offset, int lengthBytes, bool writes)
    {
        lock (_lock)
        {
            if (Current() is { } mapping) return mapping.Open(offset, lengthBytes, writes);
            if (offset == 0 && lengthBytes == 0) return null;
            throw MappedSpan.RangeError(offset, lengthBytes, mappedBytes: 0);
        }
    }

    private static Span<byte> BytesOf(OpenView? view) => view is null ? default : view.Bytes;
}
