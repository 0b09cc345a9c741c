// What `words` finds out about a text, or about a part of it.
using ShmIpc.Memory;

namespace ShmIpc.Examples.Pool;

/// <summary>Words are what white space of ASCII separates, as for wc. The hash is the sum of the words' hashes, so that the sums of parts
/// add up, whatever their order.</summary>
internal readonly record struct TextCounts(long Lines, long Words, long LongestLineBytes, long LongestWordBytes, ulong WordHash)
{
    private const int Portion = 1 << 22;
    private const ulong Seed = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    public static TextCounts operator +(TextCounts left, TextCounts right) => new(
        left.Lines + right.Lines,
        left.Words + right.Words,
        Math.Max(left.LongestLineBytes, right.LongestLineBytes),
        Math.Max(left.LongestWordBytes, right.LongestWordBytes),
        unchecked(left.WordHash + right.WordHash));

    /// <summary>Counts a part that begins and ends at a line border.</summary>
    public static TextCounts Of(MemoryMapping file, Segment part)
    {
        Counting counting = new(default, LineBytes: 0, WordBytes: 0, Seed);
        for (long done = 0; done < part.LengthBytes; done += Portion)
        {
            int length = (int)Math.Min(Portion, part.LengthBytes - done);
            counting = file.Read(part.Offset + done, length, counting, Count);
        }
        counting = Count(" "u8, counting); // ends the last word, and is no part of its line
        return counting.Done with { LongestLineBytes = Math.Max(counting.Done.LongestLineBytes, counting.LineBytes - 1) };
    }

    private static Counting Count(ReadOnlySpan<byte> text, Counting before)
    {
        (long lines, long words, long longestLine, long longestWord, ulong sum) = before.Done;
        (_, long line, long word, ulong hash) = before;
        foreach (byte letter in text)
        {
            if (letter is (byte)' ' or (>= 9 and <= 13))
                EndWord();
            else
                (word, hash) = (word + 1, unchecked((hash ^ letter) * Prime));
            line++;
            if (letter != '\n')
                continue;
            lines++;
            longestLine = Math.Max(longestLine, line - 1);
            line = 0;
        }
        return new(new(lines, words, longestLine, longestWord, sum), line, word, hash);

        void EndWord()
        {
            if (word == 0)
                return;
            words++;
            longestWord = Math.Max(longestWord, word);
            sum = unchecked(sum + hash);
            (word, hash) = (0, Seed);
        }
    }

    // Somewhere in a text: what is counted, and how long the line and the word are so far.
    private readonly record struct Counting(TextCounts Done, long LineBytes, long WordBytes, ulong Hash);
}
