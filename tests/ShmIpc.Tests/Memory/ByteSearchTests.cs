// Searches over mapped bytes against the naive search, with steps so short that matches lie across them.

using System.Text;
using CsCheck;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class ByteSearchTests
{
    // Few letters, so that there are many matches, near misses and overlaps.
    private static readonly Gen<string> _text = Gen.Char["ab\n"].Array[1, 120].Select(letters => new string(letters));
    private static readonly Gen<string> _pattern = Gen.Char["ab"].Array[1, 5].Select(letters => new string(letters));

    [Fact]
    public void Matches_are_those_of_the_naive_search_wherever_the_steps_lie() =>
        Gen.Select(_text, _pattern, Gen.Int[1, 40], Gen.Int[0, 120]).Sample(
            (text, pattern, step, start) =>
            {
                using var mapping = Map(text);
                var (bytes, wanted) = (mapping.Whole, Encoding.ASCII.GetBytes(pattern));
                start = Math.Min(start, text.Length);
                var last = text.LastIndexOf(pattern, StringComparison.Ordinal);
                Assert.Equal(text.IndexOf(pattern, start, StringComparison.Ordinal), ByteSearch.IndexOf(bytes, wanted, start, step));
                Assert.Equal(last >= start ? last : -1, ByteSearch.LastIndexOf(bytes, wanted, start, step));
                Assert.Equal(text.Split(pattern).Length - 1, ByteSearch.Count(bytes, wanted, step));
            },
            print: Print);

    [Fact]
    public void A_mapping_is_searched_as_a_string_is() =>
        Gen.Select(_text, _pattern, Gen.Int[0, 120]).Sample(
            (text, pattern, start) =>
            {
                using var mapping = Map(text);
                var wanted = Encoding.ASCII.GetBytes(pattern);
                start = Math.Min(start, text.Length);
                var expected = new List<long>();
                for (var at = start; (at = text.IndexOf(pattern, at, StringComparison.Ordinal)) >= 0; at += pattern.Length) expected.Add(at);

                var found = new List<long>();
                foreach (var match in mapping.Matches(wanted, start)) found.Add(match);
                Assert.Equal(expected, found);
                Assert.Equal(expected.FirstOrDefault(-1), mapping.IndexOf(wanted, start));
                Assert.Equal(text.LastIndexOf(pattern, StringComparison.Ordinal), mapping.LastIndexOf(wanted));
                Assert.Equal(text.Split(pattern).Length - 1, mapping.Count(wanted));
                Assert.Equal(expected.Count, mapping.Count(wanted, start, text.Length - start));
            });

    [Fact]
    public void Lines_are_those_that_contain_the_pattern() =>
        Gen.Select(_text, _pattern).Sample(
            (text, pattern) =>
            {
                using var mapping = Map(text);
                var found = new List<string>();
                foreach (var line in mapping.LinesWith(Encoding.ASCII.GetBytes(pattern)))
                {
                    var (start, end) = ((int)line.Offset, (int)(line.Offset + line.LengthBytes));
                    Assert.True((start == 0 || text[start - 1] == '\n') && (end == text.Length || text[end] == '\n'));
                    found.Add(text[start..end]);
                }

                Assert.Equal(text.Split('\n').Where(line => line.Contains(pattern, StringComparison.Ordinal)), found);
            });

    [Fact]
    public void What_cannot_be_looked_for()
    {
        using var mapping = Map("some text");
        Assert.Throws<ArgumentException>(() => mapping.IndexOf([]));
        Assert.Throws<ArgumentException>(() => mapping.LastIndexOf([]));
        Assert.Throws<ArgumentException>(() => mapping.Count([]));
        Assert.Throws<ArgumentException>(() => mapping.Matches([]));
        Assert.Throws<ArgumentException>(() => mapping.LinesWith("a\nb"u8));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.IndexOf("a"u8, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.IndexOf("a"u8, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Count("a"u8, 5, 5));
        Assert.Equal(-1, mapping.IndexOf("t"u8, 9));
        Assert.Equal(-1, mapping.IndexOf("some text that is longer"u8));
        mapping.Protect(0, mapping.LengthBytes, MemoryAccess.None);
        Assert.Throws<InvalidOperationException>(() => mapping.IndexOf("t"u8));
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapping.IndexOf("t"u8));
        Assert.Throws<ObjectDisposedException>(() => mapping.Matches("t"u8).MoveNext());
    }

    [Fact]
    public void A_loop_that_is_left_early_gives_the_memory_back()
    {
        var mapping = Map("text, more text");
        var start = mapping.Whole.Start;
        var line = ProcMaps.LineAt(start);
        foreach (var match in mapping.Matches("text"u8))
        {
            Assert.Equal(0, match);
            mapping.Dispose();
            Assert.Equal(line, ProcMaps.LineAt(start)); // mapped while the loop runs
            break;
        }

        Assert.NotEqual(line, ProcMaps.LineAt(start));
    }

    private static MemoryMapping Map(string text)
    {
        var mapping = MemoryMapping.MapAnonymous(text.Length);
        mapping.WriteAt(0, Encoding.ASCII.GetBytes(text));
        return mapping;
    }

    private static string Print((string Text, string Pattern, int Step, int Start) sample) =>
        $"\"{sample.Pattern}\" in \"{sample.Text}\" from {sample.Start}, step {sample.Step}";
}
