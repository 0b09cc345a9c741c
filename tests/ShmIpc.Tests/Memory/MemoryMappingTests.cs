using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MemoryMappingTests
{
    private static readonly int _page = Environment.SystemPageSize;
    private static readonly MemoryMappingOptions _readOnly = new() { Access = MemoryAccess.ReadOnly };

    [Theory]
    [InlineData(MappingSource.File)]
    [InlineData(MappingSource.Memfd)]
    [InlineData(MappingSource.Anonymous)]
    public void New_memory_is_zero_and_keeps_what_is_written(MappingSource source)
    {
        using var mapping = MappingSources.Map(source, 10_000);
        Assert.Equal(10_000, mapping.LengthBytes);
        Assert.Equal(MemoryAccess.ReadWrite, mapping.Access);
        Assert.False(mapping.IsMirrored);
        Assert.Equal(-1, mapping.GetReadOnlySpan(0, 10_000).IndexOfAnyExcept((byte)0));
        mapping.GetSpan(9_999, 1)[0] = 1;
        Assert.Equal(1, mapping.GetReadOnlySpan(9_998, 2)[1]);
    }

    [Fact]
    public void Two_mappings_of_a_file_share_it_and_a_file_on_disk_keeps_it()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            using (var first = MemoryMapping.MapFile(file, 0, 3 * _page))
            using (var second = MemoryMapping.MapFile(file, _page, _page, _readOnly))
            {
                first.GetSpan(_page + 5, 1)[0] = 42;
                Assert.Equal(42, second.GetReadOnlySpan(5, 1)[0]);
            }

            Assert.Equal(3 * _page, new FileInfo(path).Length);
            Assert.Equal(42, File.ReadAllBytes(path)[_page + 5]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_writable_mapping_takes_the_space_of_a_sparse_file()
    {
        using var tmpfs = new SmallTmpfs();
        using var file = tmpfs.NewFile();
        LinuxFile.SetLength(file, SmallTmpfs.SizeBytes / 2);
        Assert.Equal(SmallTmpfs.SizeBytes, LinuxFile.AvailableBytes(file));
        using var mapping = MemoryMapping.MapFile(file, 0, SmallTmpfs.SizeBytes / 2);
        Assert.Equal(SmallTmpfs.SizeBytes / 2, LinuxFile.AvailableBytes(file));
    }

    [Fact]
    public void Holes_of_a_full_file_system_are_an_exception_and_no_fault()
    {
        using var tmpfs = new SmallTmpfs();
        using var sparse = tmpfs.NewFile();
        using var filler = tmpfs.NewFile();
        LinuxFile.SetLength(sparse, SmallTmpfs.SizeBytes);
        LinuxFile.Allocate(filler, 0, SmallTmpfs.SizeBytes / 2);
        foreach (var options in (MemoryMappingOptions[])[_readOnly, new()])
        {
            var error = Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapFile(sparse, 0, SmallTmpfs.SizeBytes, options));
            Assert.Equal(SmallTmpfs.SizeBytes, error.RequestedBytes);
        }
    }

    [Fact]
    public void Windows_end_where_the_memory_ends()
    {
        using var mapping = MemoryMapping.MapAnonymous(2 * _page);
        Assert.Equal(0, mapping.GetSpan(2 * _page, 0).Length);
        (long, int)[] outside = [(-1, 1), (0, -1), (2 * _page, 1), (0, 2 * _page + 1), (long.MaxValue, 1), (1, int.MaxValue)];
        foreach (var (offset, length) in outside)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = mapping.GetSpan(offset, length); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = mapping.GetReadOnlySpan(offset, length); });
        }
    }

    [Fact]
    public void A_read_only_mapping_gives_no_writable_span()
    {
        using var memfd = MappingSources.NewMemfd();
        RandomAccess.Write(memfd, new byte[_page], 0);
        using var mapping = MemoryMapping.MapFile(memfd, 0, _page, _readOnly);
        Assert.Equal(MemoryAccess.ReadOnly, mapping.Access);
        Assert.Equal(_page, mapping.GetReadOnlySpan(0, _page).Length);
        Assert.Throws<InvalidOperationException>(() => { _ = mapping.GetSpan(0, 1); });
    }

    [Fact]
    public void Core_dumps_leave_the_memory_out_where_asked()
    {
        foreach (var exclude in (bool[])[true, false])
        {
            var options = new MemoryMappingOptions { ExcludeFromCoreDumps = exclude, Mirrored = true };
            using var mapping = MemoryMapping.MapAnonymous(_page, options);
            foreach (var offset in (long[])[0, _page])
            {
                Assert.Equal(exclude, ProcMaps.FlagsAt(mapping.Whole.Address(offset)).Contains("dd"));
            }
        }
    }

    [Fact]
    public void AsMemory_shows_all_readable_bytes_and_pins_them()
    {
        var mapping = MemoryMapping.MapAnonymous(_page, new MemoryMappingOptions { Mirrored = true });
        var memory = mapping.AsMemory();
        Assert.Equal(2 * _page, memory.Length);
        memory.Span[3] = 7;
        Assert.Equal(7, memory.Span[_page + 3]);
        Assert.Equal(7, memory[3..4].ToArray()[0]);

        using (memory[3..].Pin())
        {
            mapping.Dispose();
            Assert.Equal(7, memory.Span[3]); // what is pinned stays mapped
        }

        Assert.Throws<ObjectDisposedException>(() => memory.Span[3]);
        Assert.Throws<ObjectDisposedException>(() => memory.Pin());
    }

    [Fact]
    public void AsMemory_refuses_more_than_a_Memory_holds()
    {
        var path = Path.GetTempFileName();
        try
        {
            using var sparse = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            Assert.SkipWhen(LinuxFile.FileSystemMagic(sparse) == LibCExtras.TMPFS_MAGIC, "On tmpfs three GiB would really be taken.");
            LinuxFile.SetLength(sparse, 3L << 30);
            using var mapping = MemoryMapping.MapFile(sparse, 0, 3L << 30, _readOnly);
            Assert.Throws<InvalidOperationException>(() => mapping.AsMemory());
        }
        finally
        {
            File.Delete(path);
        }
    }
}
