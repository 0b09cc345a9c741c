// One view that somebody has open: which bytes it shows and what it needs them to be. Its mapping keeps a list of them, so that nothing
// that would make a view fault is done while it is open.

namespace ShmIpc.Memory;

internal sealed class OpenView(MemoryMapping mapping, long start, long end, bool writes, bool raises) : IDisposable
{
    private int _isClosed;

    public MemoryMapping Mapping => mapping;

    public long Start => start;

    public long End => end;

    /// <summary>Whether its bytes must stay writable; readable they must always stay.</summary>
    public bool Writes => writes;

    /// <summary>Whether it made its pages writable itself, for as long as it is open.</summary>
    public bool Raises => raises;

    public MappedSpan Span =>
        Atomics.Acquire(ref _isClosed) == 0 ? mapping.Span(start, end) : throw new ObjectDisposedException(null, "The view is closed.");

    public void Dispose()
    {
        if (Atomics.CompareExchange(ref _isClosed, 0, 1)) mapping.Close(this);
    }
}
