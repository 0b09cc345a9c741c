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
        long lines = 0, words = 0, longestLine = 0, longestWord = 0, line = 0, word = 0;
        ulong sum = 0, hash = Seed;
        for (long done = 0; done < part.LengthBytes; done += Portion)
        {
            using var view = file.OpenRead(part.Offset + done, (int)Math.Min(Portion, part.LengthBytes - done));
            foreach (byte letter in view.Span)
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
        }
        EndWord();
        return new(lines, words, Math.Max(longestLine, line), longestWord, sum);

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
}
