using ShmIpc.Channels;
using ShmIpc.Regions;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>The settings that a channel keeps for life: out of range, other than what is there, or written by a hostile hand.</summary>
public sealed class SettingsTests : IDisposable
{
    private readonly RegionScene _scene = new();

    [Fact]
    public void A_channel_keeps_its_settings_for_whoever_opens_it()
    {
        ShmChannelOptions options = RegionScene.Options(_scene.Root) with
        {
            FullMode = ShmFullMode.DropWrite,
            EvictAfter = TimeSpan.FromMilliseconds(1500.9), // whole milliseconds are kept
        };
        ShmByteChannel.Create(RegionScene.Name, options).Dispose();
        using (ShmByteChannel channel = _scene.Open())
        {
            Assert.Equal((ShmFullMode.DropWrite, TimeSpan.FromMilliseconds(1500)), (channel.FullMode, channel.EvictAfter));
        }

        ShmByteChannel.Open(RegionScene.Name, options).Dispose();
    }

    [Fact]
    public void Without_a_word_a_channel_waits_and_evicts_nobody()
    {
        _scene.CreateAbandoned();
        using ShmByteChannel channel = _scene.Open();
        Assert.Equal((ShmFullMode.Wait, null), (channel.FullMode, channel.EvictAfter));
    }

    [Fact]
    public void A_bad_setting_is_refused()
    {
        Refused(options => options.FullMode = (ShmFullMode)3, "FullMode must be Wait, DropWrite or DropOldest");
        Refused(options => options.EvictAfter = TimeSpan.Zero, "EvictAfter must be from 1 ms");
        Refused(options => options.EvictAfter = TimeSpan.FromMilliseconds(0.9), "EvictAfter must be from 1 ms");
        Refused(options => options.EvictAfter = Timeout.InfiniteTimeSpan, "EvictAfter must be from 1 ms");
        Refused(options => options.EvictAfter = TimeSpan.FromDays(25), "EvictAfter must be from 1 ms to 24.20:31:23.647");

        void Refused(Action<ShmChannelOptions> change, string what)
        {
            ShmChannelOptions options = RegionScene.Options(_scene.Root);
            change(options);
            _scene.Refused<ArgumentOutOfRangeException>(() => ShmByteChannel.Create("x", options), what);
        }
    }

    [Fact]
    public void A_channel_of_other_settings_is_refused_with_both_values()
    {
        _scene.CreateAbandoned(RegionScene.Options(_scene.Root) with { FullMode = ShmFullMode.DropOldest });
        Differs(new() { FullMode = ShmFullMode.Wait }, "FullMode is DropOldest", "Wait was asked");
        Differs(new() { EvictAfter = TimeSpan.FromSeconds(2) }, "EvictAfter is 00:00:00", "00:00:02 was asked");
        ShmByteChannel.Open(RegionScene.Name, new() { Root = _scene.Root, FullMode = ShmFullMode.DropOldest }).Dispose();

        void Differs(ShmChannelOptions options, params string[] parts)
        {
            options.Root = _scene.Root;
            string[] all = [_scene.File, "Leave the option out", .. parts];
            _scene.Refused<ShmRegionFormatException>(() => ShmByteChannel.Open(RegionScene.Name, options), all);
            _scene.Refused<ShmRegionFormatException>(() => ShmByteChannel.CreateOrOpen(RegionScene.Name, options), all);
        }
    }

    [Theory]
    [InlineData(0, 3, "full mode is 3")]
    [InlineData(0, ulong.MaxValue, "full mode is 18446744073709551615")]
    [InlineData(1, 0x8000_0000, "EvictAfter is 2147483648 ms")]
    [InlineData(1, ulong.MaxValue, "EvictAfter is 18446744073709551615 ms")]
    public void A_setting_that_makes_no_sense_is_refused(int word, ulong value, string what)
    {
        _scene.CreateAbandoned();
        RegionBytes.EditHeader(
            _scene.File, header => RegionBytes.Put64(header, RegionLayout.SettingsOffset + (word * sizeof(ulong)), value));
        _scene.IsRefused<ShmRegionFormatException>(_scene.File, what);
    }

    public void Dispose() => _scene.Dispose();
}
