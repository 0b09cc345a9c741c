using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MirrorTests
{
    private static readonly int _length = 4 * Environment.SystemPageSize;
    private static readonly MemoryMappingOptions _mirrored = new() { Mirrored = true };

    [Theory]
    [InlineData(MappingSource.File)]
    [InlineData(MappingSource.Memfd)]
    [InlineData(MappingSource.Anonymous)]
    public void What_is_written_in_one_half_stands_in_the_other(MappingSource source)
    {
        using var mapping = MappingSources.Map(source, _length, _mirrored);
        Assert.True(mapping.IsMirrored);
        Assert.Equal(_length, mapping.LengthBytes);
        Assert.Equal(2 * _length, mapping.Whole.LengthBytes);

        var seed = Random.Shared.Next();
        new Random(seed).NextBytes(mapping.GetSpan(0, _length));
        Assert.True(HalvesAreEqual(mapping), $"seed {seed}, first half written");
        new Random(~seed).NextBytes(mapping.GetSpan(_length, _length));
        Assert.True(HalvesAreEqual(mapping), $"seed {seed}, second half written");
    }

    [Theory]
    [InlineData(MemoryAccess.None, "---s")]
    [InlineData(MemoryAccess.ReadExecute, "r-xs")]
    public void Both_halves_have_the_access_that_was_asked_for(MemoryAccess access, string permissions)
    {
        MemoryMappingOptions options = new() { Mirrored = true, Access = access };
        using var anonymous = MemoryMapping.MapAnonymous(_length, options);
        Assert.Equal(permissions, ProcMaps.PermissionsAt(anonymous.Whole.Start));
        Assert.Equal(permissions, ProcMaps.PermissionsAt(anonymous.Whole.Start + _length));
        Assert.SkipWhen(access == MemoryAccess.ReadExecute, "A file in memory may be sealed against that.");
        using var file = MemoryFile.Create("x", _length); // filled before it is closed, as everything on tmpfs
        using var mapping = file.Map(options);
        Assert.Equal(permissions, ProcMaps.PermissionsAt(mapping.Whole.Start));
        Assert.Equal(permissions, ProcMaps.PermissionsAt(mapping.Whole.Start + _length));
    }

    [Theory]
    [InlineData(MappingSource.File)]
    [InlineData(MappingSource.Memfd)]
    [InlineData(MappingSource.Anonymous)]
    public void A_range_across_the_seam_is_in_one_piece(MappingSource source)
    {
        using var mapping = MappingSources.Map(source, _length, _mirrored);
        byte[] record = [1, 2, 3, 4, 5, 6];
        record.CopyTo(mapping.GetSpan(_length - 2, record.Length));
        Assert.Equal([1, 2], mapping.GetReadOnlySpan(_length - 2, 2).ToArray());
        Assert.Equal([3, 4, 5, 6], mapping.GetReadOnlySpan(0, 4).ToArray());
    }

    [Fact]
    public void A_read_only_mirror_shows_the_file_twice()
    {
        using var memfd = MappingSources.NewMemfd();
        using var writable = MemoryMapping.MapFile(memfd, 0, _length);
        using var mirror = MemoryMapping.MapFile(
            memfd, 0, _length, new MemoryMappingOptions { Mirrored = true, Access = MemoryAccess.ReadOnly });
        writable.GetSpan(17, 1)[0] = 99;
        Assert.Equal(99, mirror.GetReadOnlySpan(17, 1)[0]);
        Assert.Equal(99, mirror.GetReadOnlySpan(_length + 17, 1)[0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5000)]
    public void A_mirror_is_whole_pages(long lengthBytes)
    {
        var expected = $"use {(lengthBytes / Environment.SystemPageSize + 1) * Environment.SystemPageSize}.";
        var error = Assert.Throws<ArgumentException>(() => MemoryMapping.MapAnonymous(lengthBytes, _mirrored));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        using var memfd = MappingSources.NewMemfd();
        Assert.Throws<ArgumentException>(() => MemoryMapping.MapFile(memfd, 0, lengthBytes, _mirrored));
        Assert.Equal(0, ShmIpc.Interop.LinuxFile.Status(memfd).SizeBytes);
    }

    private static bool HalvesAreEqual(MemoryMapping mapping) =>
        mapping.GetReadOnlySpan(0, _length).SequenceEqual(mapping.GetReadOnlySpan(_length, _length));
}
