// Looking for bytes, in mappings of any length. Each search has one view open over everything while it runs.

namespace ShmIpc.Memory;

public sealed partial class MemoryMapping
{
    /// <summary>Looks for bytes, from the front.</summary>
    /// <param name="pattern">What to look for: at least one byte.</param>
    /// <param name="start">Where to begin; at most <see cref="LengthBytes"/>.</param>
    /// <returns>The offset of the first match, or -1.</returns>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">Part of the memory is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ArgumentException">The pattern is empty, or the start lies outside.</exception>
    public long IndexOf(ReadOnlySpan<byte> pattern, long start = 0)
    {
        using var whole = OpenWhole();
        return ByteSearch.IndexOf(whole.Span, pattern, start);
    }

    /// <summary>Looks for bytes, from the back.</summary>
    /// <param name="pattern">What to look for: at least one byte.</param>
    /// <returns>The offset of the last match, or -1.</returns>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">Part of the memory is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ArgumentException">The pattern is empty.</exception>
    public long LastIndexOf(ReadOnlySpan<byte> pattern)
    {
        using var whole = OpenWhole();
        return ByteSearch.LastIndexOf(whole.Span, pattern);
    }

    /// <summary>Counts how often bytes occur; occurrences that overlap count once.</summary>
    /// <returns>How often.</returns>
    /// <inheritdoc cref="LastIndexOf"/>
    public long Count(ReadOnlySpan<byte> pattern)
    {
        using var whole = OpenWhole();
        return ByteSearch.Count(whole.Span, pattern);
    }

    /// <summary>Counts how often bytes occur in a range; occurrences that overlap count once.</summary>
    /// <param name="pattern">What to look for: at least one byte.</param>
    /// <param name="offset">The first byte of the range.</param>
    /// <param name="lengthBytes">How many bytes the range has.</param>
    /// <returns>How often.</returns>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">Part of the memory is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ArgumentException">The pattern is empty, or the range reaches outside.</exception>
    public long Count(ReadOnlySpan<byte> pattern, long offset, long lengthBytes)
    {
        using var whole = OpenWhole();
        return ByteSearch.Count(whole.Span.Slice(offset, lengthBytes), pattern);
    }

    /// <summary>All places where bytes occur, for <c>foreach</c>; matches do not overlap.</summary>
    /// <param name="pattern">What to look for: at least one byte.</param>
    /// <param name="start">Where to begin; at most <see cref="LengthBytes"/>.</param>
    /// <exception cref="ArgumentException">The pattern is empty.</exception>
    public ByteMatches Matches(ReadOnlySpan<byte> pattern, long start = 0) => new(OpenWhole, pattern, start);

    /// <summary>All lines (each ended by a line feed, or by the end) that contain bytes, for <c>foreach</c>.</summary>
    /// <param name="pattern">What to look for: at least one byte, and no line feed.</param>
    /// <exception cref="ArgumentException">The pattern is empty, or there is a line feed in it.</exception>
    public MatchingLines LinesWith(ReadOnlySpan<byte> pattern) => new(OpenWhole, pattern);
}
