// What `foreach` walks over when it looks for a pattern: it opens the bytes at its first step and closes them when the loop ends.

namespace ShmIpc.Memory;

/// <summary>Where a pattern occurs, from the first match on; matches do not overlap. For one <c>foreach</c>, during which the memory stays
/// mapped and readable.</summary>
public ref struct ByteMatches
{
    private readonly Func<OpenView?>? _open;
    private readonly ReadOnlySpan<byte> _pattern;
    private OpenView? _view;
    private bool _isOpen;
    private long _next;

    internal ByteMatches(Func<OpenView?> open, ReadOnlySpan<byte> pattern, long start)
    {
        ByteSearch.CheckPattern(pattern);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        _open = open;
        _pattern = pattern;
        _next = start;
    }

    /// <summary>The offset of the first byte of the match.</summary>
    public long Current { get; private set; }

    /// <summary>What <c>foreach</c> calls.</summary>
    public readonly ByteMatches GetEnumerator() => this;

    /// <summary>Looks for the next match.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="ObjectDisposedException">The mapping, or the file, is disposed.</exception>
    /// <exception cref="InvalidOperationException">Part of the memory may not be read.</exception>
    /// <exception cref="ArgumentException">The start lies outside.</exception>
    public bool MoveNext()
    {
        if (!_isOpen)
        {
            _view = _open?.Invoke();
            _isOpen = true;
        }

        if (_open is null || _next < 0) return false;
        var found = ByteSearch.IndexOf(_view?.Span ?? default, _pattern, _next);
        _next = found < 0 ? -1 : found + _pattern.Length;
        Current = found;
        return found >= 0;
    }

    /// <summary>Closes the bytes.</summary>
    public readonly void Dispose() => _view?.Dispose();
}
