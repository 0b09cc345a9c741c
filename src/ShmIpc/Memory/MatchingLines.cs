// The lines of a text that contain a pattern, found the other way round: the pattern first, then the ends of its line. So what lies
// between two matches is looked at once, by the vectorised search, however many lines it is.

namespace ShmIpc.Memory;

/// <summary>The lines that contain a pattern, each once, in order. For one <c>foreach</c>, during which the memory stays mapped and
/// readable.</summary>
public ref struct MatchingLines
{
    private const byte LineEnd = (byte)'\n';

    private readonly Func<OpenView?>? _open;
    private readonly ReadOnlySpan<byte> _pattern;
    private OpenView? _view;
    private bool _isOpen;
    private long _next;

    internal MatchingLines(Func<OpenView?> open, ReadOnlySpan<byte> pattern)
    {
        ByteSearch.CheckPattern(pattern);
        if (pattern.Contains(LineEnd))
        {
            throw new ArgumentException(
                "No line contains a line feed: look for each line by itself, or use Matches.", nameof(pattern));
        }

        _open = open;
        _pattern = pattern;
    }

    /// <summary>The line.</summary>
    public LineRange Current { get; private set; }

    /// <summary>What <c>foreach</c> calls.</summary>
    public readonly MatchingLines GetEnumerator() => this;

    /// <summary>Looks for the next line.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="ObjectDisposedException">The mapping, or the file, is disposed.</exception>
    /// <exception cref="InvalidOperationException">Part of the memory may not be read.</exception>
    public bool MoveNext()
    {
        if (!_isOpen)
        {
            _view = _open?.Invoke();
            _isOpen = true;
        }

        var bytes = _view?.Span ?? default;
        if (_open is null || _next > bytes.LengthBytes) return false;
        var match = ByteSearch.IndexOf(bytes, _pattern, _next);
        if (match < 0)
        {
            _next = long.MaxValue;
            return false;
        }

        var before = ByteSearch.LastIndexOf(bytes.Slice(0, match), [LineEnd], _next);
        var start = before < 0 ? _next : before + 1;
        var end = ByteSearch.IndexOf(bytes, [LineEnd], match + _pattern.Length);
        if (end < 0) end = bytes.LengthBytes;
        Current = new LineRange(start, end - start);
        _next = end + 1;
        return true;
    }

    /// <summary>Closes the bytes.</summary>
    public readonly void Dispose() => _view?.Dispose();
}
