using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Regions;

public sealed class RegionNameTests : IDisposable
{
    private readonly RegionScene _scene = new();

    public static TheoryData<string, string> BadNames => new()
    {
        { "", "is empty" },
        { ".", "'.' at index 0" },
        { "..", "'.' at index 0" },
        { ".hidden", "'.' at index 0" },
        { "-rf", "'-' at index 0" },
        { "_x", "'_' at index 0" },
        { "/etc/passwd", "'/' at index 0" },
        { "a/b", "'/' at index 1" },
        { "../up", "'.' at index 0" },
        { "a/../../b", "'/' at index 1" },
        { "nul\0inside", "U+0000 at index 3" },
        { "line\nbreak", "U+000A at index 4" },
        { "with space", "' ' at index 4" },
        { "ümlaut", "'ü' at index 0" },
        { new string('n', 201), "201 characters" },
    };

    [Theory]
    [MemberData(nameof(BadNames))]
    public void A_bad_name_is_refused_with_the_rule_and_the_place(string name, string what)
    {
        string[] parts = [what, "1 to 200 of the characters A-Z a-z 0-9 . _ -"];
        ShmChannelOptions options = RegionScene.Options(_scene.Root);
        Assert.Equal("name", _scene.Refused<ArgumentException>(() => ShmByteChannel.Create(name, options), parts).ParamName);
        _scene.Refused<ArgumentException>(() => ShmByteChannel.CreateOrOpen(name, options), parts);
        _scene.Refused<ArgumentException>(() => ShmByteChannel.Open(name, options), parts);
        Assert.Throws<ArgumentException>(() => ShmChannel.Delete(name, _scene.Root));
        Assert.Throws<ArgumentException>(() => ShmChannel.Exists(name, _scene.Root));
    }

    [Fact]
    public void A_null_name_is_refused()
    {
        ShmChannelOptions options = RegionScene.Options(_scene.Root);
        Assert.Equal("name", _scene.Refused<ArgumentNullException>(() => ShmByteChannel.CreateOrOpen(null!, options)).ParamName);
        Assert.Equal("name", _scene.Refused<ArgumentNullException>(() => ShmByteChannel.Open(null!, options)).ParamName);
        Assert.Throws<ArgumentNullException>(() => ShmChannel.Delete(null!, _scene.Root));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("7")]
    [InlineData("a..b--c__d")]
    [InlineData("Orders.2026-10-17_eu")]
    public void A_name_within_the_rule_is_taken(string name)
    {
        ShmByteChannel.Create(name, RegionScene.Options(_scene.Root)).Dispose();
        Assert.True(ShmChannel.Exists(name, _scene.Root));
        Assert.True(ShmChannel.Delete(name, _scene.Root));
        Assert.False(ShmChannel.Exists(name, _scene.Root));
    }

    [Fact]
    public void The_longest_name_is_taken()
    {
        string name = new('n', 200);
        ShmByteChannel.Create(name, RegionScene.Options(_scene.Root)).Dispose();
        Assert.True(ShmChannel.Delete(name, _scene.Root));
    }

    public void Dispose() => _scene.Dispose();
}
