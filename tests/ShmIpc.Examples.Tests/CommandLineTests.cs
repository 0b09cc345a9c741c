// What people type.
using ShmIpc.Examples.Terminal;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("2", 2000)]
    [InlineData("2s", 2000)]
    [InlineData("1.5m", 90_000)]
    [InlineData("1H", 3_600_000)]
    public void Durations(string text, double milliseconds)
    {
        Assert.True(Duration.TryParse(text, out TimeSpan duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("0")]
    [InlineData("-1s")]
    [InlineData("1e9")]
    [InlineData("1d")]
    [InlineData("NaN")]
    [InlineData("1 s x")]
    [InlineData("99999h")]
    public void What_is_no_duration(string text) => Assert.False(Duration.TryParse(text, out _));

    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("64K", 65536)]
    [InlineData("64 kib", 65536)]
    [InlineData("1M", 1 << 20)]
    [InlineData("2G", 2L << 30)]
    public void Sizes(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("1.5M")]
    [InlineData("1X")]
    [InlineData("9999999999999G")]
    public void What_is_no_size(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData("producer", "nonsense", "Unrecognized command or argument 'nonsense'. See producer --help.")]
    [InlineData("producer", "--lines 3", "--lines needs --replay. See producer --help.")]
    [InlineData("producer", "--json /tmp", "--json /tmp: that is a directory")]
    [InlineData("producer", "--replay /", "is a directory")]
    [InlineData("consumer", "--shared", "--shared needs --group. See consumer --help.")]
    [InlineData("consumer", "--timeout 0s", "not '0s'. See consumer --help.")]
    public void What_means_nothing_is_refused_in_one_line(string program, string arguments, string reason) =>
        Assert.Contains(reason, ExampleProcess.Refused(program, arguments.Split(' ')), StringComparison.Ordinal);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1536, "1.50 KiB")]
    [InlineData(1 << 20, "1.00 MiB")]
    [InlineData(123_456_789, "118 MiB")]
    public void Sizes_are_written_with_three_digits(double bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
