// Transparent huge pages: what the library says was granted is compared with smaps. Whether any are, the kernel decides.

using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

[Collection(nameof(HugePageTests))] // other tests count what the process has mapped
public sealed class TransparentHugePageTests
{
    private const int Blocks = 4;

    private static readonly HugePages _try = HugePages.Try(HugePageSize.Transparent);
    private static readonly HugePages _require = HugePages.Require(HugePageSize.Transparent);

    [Theory]
    [InlineData(MappingSharing.Private, false)]
    [InlineData(MappingSharing.Shared, false)]
    [InlineData(MappingSharing.Shared, true)]
    public void What_is_granted_is_what_smaps_says(MappingSharing sharing, bool mirrored)
    {
        var lengthBytes = Blocks * PageBytes();
        var options = new MemoryMappingOptions { Sharing = sharing, Mirrored = mirrored, Populate = true, HugePages = _try };
        using var mapping = MemoryMapping.MapAnonymous(lengthBytes, options);
        var grant = mapping.HugePages!;
        Assert.Equal(0, mapping.Whole.Address(0) % PageBytes());
        Assert.Equal((Environment.SystemPageSize, Environment.SystemPageSize), (mapping.PageSizeBytes, grant.PageSizeBytes));
        Assert.Contains("hg", ProcMaps.FlagsAt(mapping.Whole.Address(0)));
        Assert.InRange(HugeBytes(mapping), 1, long.MaxValue);
        Assert.Equal(HugeBytes(mapping), grant.HugeBytes);
        Assert.Equal(grant.HugeBytes == (mirrored ? 2 : 1) * lengthBytes, grant.IsGranted);
        Assert.Equal(grant.IsGranted, grant.Reason is null);
        mapping.Write(lengthBytes - 4, 1);
    }

    [Fact]
    public void Required_ones_are_there()
    {
        var lengthBytes = Blocks * PageBytes();
        using var mapping = MemoryMapping.MapAnonymous(lengthBytes, new() { Sharing = MappingSharing.Private, HugePages = _require });
        Assert.True(mapping.HugePages!.IsGranted);
        Assert.Equal(lengthBytes, HugeBytes(mapping));
    }

    [Fact]
    public void They_come_at_the_first_touch()
    {
        Assert.SkipWhen(MemoryLimits.Read().TransparentHugePages == "never", "Transparent huge pages are switched off.");
        var lengthBytes = Blocks * PageBytes();
        using var mapping = MemoryMapping.MapAnonymous(lengthBytes, new() { Sharing = MappingSharing.Private, HugePages = _try });
        Assert.Equal((false, 0), (mapping.HugePages!.IsGranted, mapping.HugePages.HugeBytes));
        Assert.Contains("come at the first touch", mapping.HugePages.Reason, StringComparison.Ordinal);
        Assert.Equal(0, KernelProbe.PagesPresent(mapping.Whole.Address(0), (int)lengthBytes));
        for (long at = 0; at < lengthBytes; at += PageBytes()) mapping.Write(at, 1);
        Assert.Equal(HugeBytes(mapping), mapping.ReadHugePages().HugeBytes);
        Assert.InRange(HugeBytes(mapping), PageBytes(), lengthBytes);
    }

    [Fact]
    public void What_is_smaller_than_one_is_none()
    {
        var lengthBytes = PageBytes() - Environment.SystemPageSize;
        using var mapping = MemoryMapping.MapAnonymous(lengthBytes, new() { Populate = true, HugePages = _try });
        Assert.False(mapping.HugePages!.IsGranted);
        Assert.Contains("whole huge page", mapping.HugePages.Reason, StringComparison.Ordinal);
        var error = Assert.Throws<ShmException>(() => MemoryMapping.MapAnonymous(lengthBytes, new() { HugePages = _require }));
        Assert.Contains($"Map at least {PageBytes()} bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_memory_is_aligned_by_its_offset()
    {
        var lengthBytes = Blocks * PageBytes();
        using var file = MemoryFile.Create("aligned", lengthBytes);
        var offset = Environment.SystemPageSize;
        using var mapping = file.Map(offset, lengthBytes - offset, new() { Populate = true, HugePages = _try });
        Assert.Equal(offset, mapping.Whole.Address(0) % PageBytes());
        Assert.Equal(HugeBytes(mapping), mapping.HugePages!.HugeBytes);
        Assert.Equal(mapping.HugePages.HugeBytes == lengthBytes - PageBytes(), mapping.HugePages.IsGranted);
    }

    [Theory]
    [InlineData(TransparentKind.Anonymous)]
    [InlineData(TransparentKind.Shared)]
    [InlineData(TransparentKind.File)]
    public void Why_there_are_none(object kind)
    {
        var bytes = Blocks * PageBytes();
        var untouched = TransparentHugePages.WhyNot((TransparentKind)kind, bytes, bytes, new HugePageReading(4096, 0, 0));
        var touched = TransparentHugePages.WhyNot((TransparentKind)kind, bytes, bytes, new HugePageReading(4096, 0, bytes));
        Assert.All([untouched, touched], why => Assert.NotEmpty(why.Reason));
        Assert.NotNull(touched.Cure);
        var limits = MemoryLimits.Read();
        var setting = kind is TransparentKind.Shared ? limits.SharedTransparentHugePages : limits.TransparentHugePages;
        var isForbidden = kind is not TransparentKind.File && setting is "never" or "deny";
        Assert.Equal(isForbidden, untouched.Cure!.Contains("As root", StringComparison.Ordinal));
    }

    [Fact]
    public void Whole_blocks_are_counted_between_multiples()
    {
        var block = PageBytes();
        Assert.Equal(block, TransparentHugePages.WholeBytes((nint)block, block));
        Assert.Equal(0, TransparentHugePages.WholeBytes((nint)block + 1, block));
        Assert.Equal(block, TransparentHugePages.WholeBytes((nint)block + 1, 2 * block));
        Assert.Equal(0, TransparentHugePages.WholeBytes((nint)block + 1, 5));
    }

    private static long PageBytes()
    {
        Assert.SkipWhen(TransparentHugePages.PageBytes == 0, "This kernel has no transparent huge pages.");
        return TransparentHugePages.PageBytes;
    }

    // All entries of smaps in the range: a mirror is a second one.
    private static long HugeBytes(MemoryMapping mapping)
    {
        var (start, end) = (mapping.Whole.Address(0), mapping.Whole.Address(mapping.Whole.LengthBytes - 1));
        return ProcessMaps.Read(withSizes: true).Entries
            .Where(entry => entry.End > start && entry.Start <= end)
            .Sum(entry => entry.Sizes!.AnonymousHugePageBytes + entry.Sizes.SharedMemoryHugePageBytes + entry.Sizes.FileHugePageBytes) ?? 0;
    }
}
