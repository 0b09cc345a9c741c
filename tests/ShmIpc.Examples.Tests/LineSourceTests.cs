// Lines must come out as they are in the file, wherever the buffer happens to end.
using System.Text;
using ShmIpc.Examples.Producer;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class LineSourceTests
{
    [Theory]
    [InlineData("")]
    [InlineData("one")]
    [InlineData("one\n")]
    [InlineData("\n")]
    [InlineData("\n\n\nx")]
    [InlineData("one\r\ntwo\nthree is longer than the others\n\nfive")]
    public void Lines_are_what_is_between_line_feeds(string text)
    {
        string[] expected = text.Length == 0 ? [] : (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
        for (int bufferBytes = 1; bufferBytes < 50; bufferBytes++)
        {
            var source = new LineSource(new MemoryStream(Encoding.UTF8.GetBytes(text)), longestLine: 100, bufferBytes);
            Assert.Equal(expected, Lines(source));
            source.Rewind();
            Assert.Equal(expected, Lines(source));
        }
    }

    [Fact]
    public void A_line_that_is_too_long_is_named()
    {
        var source = new LineSource(new MemoryStream("a\nbb\nccccc\n"u8.ToArray()), longestLine: 4, bufferBytes: 2);
        Assert.True(source.TryRead(out _));
        Assert.True(source.TryRead(out _));
        InvalidDataException tooLong = Assert.Throws<InvalidDataException>(() => source.TryRead(out _));
        Assert.Contains("line 3 is longer than 4 bytes", tooLong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_just_the_longest_length_passes() =>
        Assert.Equal(["12345", "12345"],
            Lines(new LineSource(new MemoryStream("12345\n12345"u8.ToArray()), longestLine: 5, bufferBytes: 3)));

    private static List<string> Lines(LineSource source)
    {
        var lines = new List<string>();
        while (source.TryRead(out ReadOnlyMemory<byte> line))
            lines.Add(Encoding.UTF8.GetString(line.Span));
        return lines;
    }
}
