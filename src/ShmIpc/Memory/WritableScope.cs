// What MemoryMapping.Writable returns: an entry in the list of its mapping, and a reference on it. It shows no bytes, so whoever closes it
// early, or twice, takes nothing from under anybody: a callback that still writes keeps its own pages writable (OpenView.Leans).

namespace ShmIpc.Memory;

/// <summary>Pages that are writable until this is disposed, see <see cref="MemoryMapping.Writable"/>.</summary>
/// <remarks>It keeps the memory mapped. All members may be used by several threads at once.</remarks>
public sealed class WritableScope : IDisposable
{
    private readonly MemoryMapping _mapping;
    private int _isClosed;

    internal WritableScope(MemoryMapping mapping, long start, long end) => (_mapping, Start, End) = (mapping, start, end);

    internal long Start { get; }

    internal long End { get; }

    /// <summary>Closes the pages to what they were, unless another scope or a callback that is still writing needs some of them: those
    /// follow when that ends. A second call does nothing.</summary>
    /// <exception cref="ShmException">The kernel refused, and the pages stay writable.</exception>
    public void Dispose()
    {
        if (Atomics.CompareExchange(ref _isClosed, 0, 1)) _mapping.Close(this);
    }
}
