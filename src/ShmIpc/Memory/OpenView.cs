// One use of the bytes that is going on: which they are and what it needs them to be. Its mapping keeps a list of them, so that nothing
// that would make a use fault is done meanwhile. It never leaves the library: whoever could close one early could fault.

namespace ShmIpc.Memory;

internal sealed class OpenView(MemoryMapping mapping, long start, long end, bool writes) : IDisposable
{
    private int _isClosed;

    public long Start => start;

    public long End => end;

    /// <summary>Whether its bytes must stay writable; readable they must always stay.</summary>
    public bool Writes => writes;

    /// <summary>Whether it needs more than its pages were given by Protect, which a <see cref="WritableScope"/> allowed: they stay so until
    /// it is closed, whatever becomes of the scope.</summary>
    public bool Leans { get; set; }

    public MappedSpan Span =>
        Atomics.Acquire(ref _isClosed) == 0 ? mapping.Span(start, end) : throw new ObjectDisposedException(null, "The view is closed.");

    /// <summary>The bytes of a view of at most 2 GiB.</summary>
    public Span<byte> Bytes => Span.Bytes(0, (int)(end - start));

    public void Dispose()
    {
        if (Atomics.CompareExchange(ref _isClosed, 0, 1)) mapping.Close(this);
    }
}
