// Which pages take memory when they are brought in, counted against what was really written to them.

using ShmIpc.Interop;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class PagesThereTests
{
    private const int Pages = 5000; // more than are asked about at once

    private static readonly int _page = Environment.SystemPageSize;
    private static readonly MemoryMappingOptions _private = new() { Sharing = MappingSharing.Private };

    [Fact]
    public void The_pages_of_a_file_in_memory_are_no_copies_of_them()
    {
        using var file = MemoryFile.Create("original", Pages * _page);
        using var copy = file.Map(_private);
        for (var page = 0; page < Pages; page++) _ = copy.Read<byte>(page * _page); // all of the file's
        Assert.Equal(Pages, KernelProbe.PagesPresent(copy.Whole.Address(0), Pages * _page));
        Assert.Equal((0, Pages), (Missing(copy, PagesThere.InMemory), Missing(copy, PagesThere.Own)));
        copy.Write(0, 1);
        copy.Write(4999 * _page, 1);
        Assert.Equal(Pages - 2, Missing(copy, PagesThere.Own));
    }

    [Fact]
    public void The_page_of_zeros_is_nobodys_own()
    {
        using var memory = MemoryMapping.MapAnonymous(Pages * _page, _private);
        memory.Advise(0, memory.LengthBytes, MemoryAdvice.NoHugePage);
        Assert.Equal(Pages, Missing(memory, PagesThere.Own));
        for (var page = 0; page < Pages; page++) Assert.Equal(0, memory.Read<byte>(page * _page));
        Assert.Equal(Pages, Missing(memory, PagesThere.Own));
        memory.Advise(0, 10 * _page, MemoryAdvice.PopulateWrite);
        Assert.Equal(Pages - 10, Missing(memory, PagesThere.Own));
    }

    [Fact]
    public void Of_a_file_on_a_disk_nothing_is_there_for_nothing()
    {
        using var memory = MemoryMapping.MapAnonymous(Pages * _page);
        Assert.Equal((0, Pages), (Missing(memory, PagesThere.InMemory), Missing(memory, PagesThere.None)));
    }

    [Fact]
    public void Counting_ends_where_nothing_is_left()
    {
        using var memory = MemoryMapping.MapAnonymous(1L << 44, new() { Sharing = MappingSharing.Private, NoReserve = true });
        var left = 1L << 20;
        using PageMap map = new();
        Assert.False(map.TryTake(new PageRange(memory.Whole.Address(0), 1L << 44, PagesThere.Own), ref left));
        Assert.InRange(left, -32 << 20, -1);
    }

    // What a fitting request costs is looked at no page.
    [Fact]
    public void Several_ranges_are_one_request()
    {
        using var memory = MemoryMapping.MapAnonymous(1L << 44, new() { Sharing = MappingSharing.Private, NoReserve = true });
        var start = memory.Whole.Address(0);
        PageRange small = new(start, _page, PagesThere.Own);
        Assert.Null(LinuxMemory.ShortageFor(small, small));
        var refusal = LinuxMemory.ShortageFor(small, new PageRange(start, 1L << 43, PagesThere.Own));
        Assert.Equal((1L << 43) + _page, refusal!.RequestedBytes);
        Assert.Null(LinuxMemory.ShortageFor());
    }

    private static long Missing(MemoryMapping mapping, PagesThere there)
    {
        var left = long.MaxValue;
        using PageMap map = new();
        Assert.True(map.TryTake(new PageRange(mapping.Whole.Address(0), mapping.LengthBytes, there), ref left));
        return (long.MaxValue - left) / _page;
    }
}
