// Searching mapped bytes, however many they are: spans of at most 1 GiB, each overlapping the next by one byte less than the pattern, so
// that a match that starts in a step lies whole in its span. The vectorised search itself is the runtime's.

namespace ShmIpc.Memory;

internal static class ByteSearch
{
    private const int StepBytes = 1 << 30;

    /// <summary>Where the first match at or after an offset begins, or -1.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="pattern">What to look for: at least one byte.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="stepBytes">How far from span to span; tests make it short.</param>
    public static long IndexOf(MappedSpan bytes, ReadOnlySpan<byte> pattern, long start, int stepBytes = StepBytes)
    {
        Check(bytes, pattern, start);
        var step = StepFor(pattern, stepBytes);
        for (var at = start; at <= bytes.LengthBytes - pattern.Length; at += step)
        {
            var spanBytes = (int)Math.Min(step + pattern.Length - 1L, bytes.LengthBytes - at);
            var found = bytes.Bytes(at, spanBytes).IndexOf(pattern);
            if (found >= 0) return at + found;
        }

        return -1;
    }

    /// <summary>Where the last match at or after an offset begins, or -1.</summary>
    /// <inheritdoc cref="IndexOf"/>
    public static long LastIndexOf(MappedSpan bytes, ReadOnlySpan<byte> pattern, long start = 0, int stepBytes = StepBytes)
    {
        Check(bytes, pattern, start);
        var step = StepFor(pattern, stepBytes);
        for (var last = bytes.LengthBytes - pattern.Length; last >= start; last -= step)
        {
            var from = Math.Max(start, last - step + 1);
            var found = bytes.Bytes(from, (int)(last - from) + pattern.Length).LastIndexOf(pattern);
            if (found >= 0) return from + found;
        }

        return -1;
    }

    /// <summary>How many matches there are that do not overlap.</summary>
    /// <inheritdoc cref="IndexOf"/>
    public static long Count(MappedSpan bytes, ReadOnlySpan<byte> pattern, int stepBytes = StepBytes)
    {
        Check(bytes, pattern, start: 0);
        long count = 0;
        if (pattern.Length == 1)
        {
            for (long at = 0; at < bytes.LengthBytes; at += stepBytes)
            {
                count += bytes.Bytes(at, (int)Math.Min(stepBytes, bytes.LengthBytes - at)).Count(pattern[0]);
            }

            return count;
        }

        for (long at = 0; (at = IndexOf(bytes, pattern, at, stepBytes)) >= 0; at += pattern.Length) count++;
        return count;
    }

    public static void CheckPattern(ReadOnlySpan<byte> pattern)
    {
        if (pattern.IsEmpty)
        {
            throw new ArgumentException("An empty pattern would match everywhere: say which bytes to look for.", nameof(pattern));
        }
    }

    private static void Check(MappedSpan bytes, ReadOnlySpan<byte> pattern, long start)
    {
        CheckPattern(pattern);
        if (start < 0 || start > bytes.LengthBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(start), start, $"The search begins inside the {bytes.LengthBytes} bytes.");
        }
    }

    // A span holds no more than int.MaxValue bytes, the overlap included.
    private static int StepFor(ReadOnlySpan<byte> pattern, int stepBytes) => Math.Min(stepBytes, int.MaxValue - pattern.Length + 1);
}
