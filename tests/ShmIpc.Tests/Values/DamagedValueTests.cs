// A shared value whose header says what none has: refused when it is opened, whoever made the checksum fit.

using ShmIpc.Regions;
using ShmIpc.Tests.Regions;
using ShmIpc.Values;
using Xunit;

namespace ShmIpc.Tests.Values;

public sealed class DamagedValueTests : IDisposable
{
    private readonly ScratchRoot _root = new();

    [Theory]
    [InlineData(0UL, "values of 0 bytes")]
    [InlineData(ulong.MaxValue, "values of 18446744073709551615 bytes")]
    [InlineData(1UL << 20, "has")] // possible, and not with these sections
    public void A_size_that_does_not_fit_is_refused(ulong maxValueBytes, string message)
    {
        SharedValueOptions options = new() { Root = _root.Path, MaxValueBytes = 4096 };
        SharedValue.Create<int>("damaged", options).Dispose();
        RegionBytes.EditHeader(
            Path.Combine(_root.Path, "damaged"),
            header => RegionBytes.Put64(
                header, RegionLayout.SettingsOffset + (ValueLayout.MaxValueBytesSetting * sizeof(ulong)), maxValueBytes));
        ShmRegionFormatException error = Assert.Throws<ShmRegionFormatException>(
            () => SharedValue.Open<int>("damaged", new SharedValueOptions { Root = _root.Path }));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wait_strategy_that_there_is_none_is_refused()
    {
        SharedValueOptions options = new() { Root = _root.Path, WaitStrategy = (ShmIpc.Waiting.WaitStrategy)9 };
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(() => SharedValue.Create<int>("x", options));
        Assert.Contains("Adaptive, BusySpin or Park", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _root.Dispose();
}
