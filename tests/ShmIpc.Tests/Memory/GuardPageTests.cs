using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class GuardPageTests
{
    private static readonly int _page = Environment.SystemPageSize;

    [Theory]
    [InlineData(MappingSource.File, false)]
    [InlineData(MappingSource.File, true)]
    [InlineData(MappingSource.Memfd, false)]
    [InlineData(MappingSource.Memfd, true)]
    [InlineData(MappingSource.Anonymous, false)]
    [InlineData(MappingSource.Anonymous, true)]
    public void A_page_that_nobody_can_touch_stands_at_both_ends(MappingSource source, bool mirrored)
    {
        using var mapping = MappingSources.Map(source, 3 * _page, new MemoryMappingOptions { Mirrored = mirrored });
        var start = mapping.Whole.Address(0);
        var end = start + (mirrored ? 6 : 3) * _page;

        foreach (var inside in (nint[])[start, end - 1])
        {
            Assert.Equal("rw-s", ProcMaps.PermissionsAt(inside));
            Assert.True(KernelProbe.CanRead(inside));
            Assert.True(KernelProbe.CanWrite(inside));
        }

        foreach (var guard in (nint[])[start - 1, start - _page, end, end + _page - 1])
        {
            Assert.Equal("---p", ProcMaps.PermissionsAt(guard));
            Assert.False(KernelProbe.CanRead(guard));
            Assert.False(KernelProbe.CanWrite(guard));
        }
    }

    [Fact]
    public void The_guard_follows_the_last_page_that_the_length_reaches()
    {
        using var mapping = MappingSources.Map(MappingSource.File, _page + 1);
        var start = mapping.Whole.Address(0);
        Assert.Equal(_page + 1, mapping.Whole.LengthBytes);
        Assert.True(KernelProbe.CanWrite(start + _page));
        Assert.Equal("---p", ProcMaps.PermissionsAt(start + 2 * _page));
        Assert.False(KernelProbe.CanRead(start + 2 * _page));
    }

    [Fact]
    public void A_read_only_mapping_cannot_be_written()
    {
        using var memfd = MappingSources.NewMemfd();
        ShmIpc.Interop.LinuxFile.Allocate(memfd, 0, _page);
        using var mapping = MemoryMapping.MapFile(memfd, 0, _page, new MemoryMappingOptions { Access = MemoryAccess.ReadOnly });
        var start = mapping.Whole.Address(0);
        Assert.Equal("r--s", ProcMaps.PermissionsAt(start));
        Assert.True(KernelProbe.CanRead(start));
        Assert.False(KernelProbe.CanWrite(start));
    }

    [Fact]
    public void Without_guards_no_page_but_the_memory_is_taken()
    {
        using var mapping = MappingSources.Map(MappingSource.Anonymous, 4 * _page, new MemoryMappingOptions { GuardPages = false });
        var start = mapping.Whole.Address(0);
        Assert.True(KernelProbe.CanWrite(start));
        Assert.True(KernelProbe.CanWrite(start + 4 * _page - 1));
    }
}
