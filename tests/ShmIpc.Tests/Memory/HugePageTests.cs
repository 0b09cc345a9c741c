// Huge pages: what was granted is compared with smaps and with the counters of the kernel's pools. The pools are the machine's, so nothing
// else runs meanwhile.

using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

[CollectionDefinition(nameof(HugePageTests), DisableParallelization = true)]
[Collection(nameof(HugePageTests))]
public sealed class HugePageTests
{
    private const long TwoMebibytes = 2 << 20;
    private const long OneGibibyte = 1 << 30;
    private const int PoolPages = 8;

    private static readonly int _page = Environment.SystemPageSize;
    private static readonly HugePages _try = HugePages.Try(HugePageSize.TwoMebibytes);
    private static readonly HugePages _require = HugePages.Require(HugePageSize.TwoMebibytes);

    [Fact]
    public void Trying_falls_back_to_ordinary_pages_and_says_why()
    {
        using var mapping = MemoryMapping.MapAnonymous(MoreThanThePool(), new() { Sharing = MappingSharing.Private, HugePages = _try });
        Assert.False(mapping.HugePages!.IsGranted);
        Assert.Same(_try, mapping.HugePages.Requested);
        Assert.Equal((_page, 0), (mapping.HugePages.PageSizeBytes, mapping.HugePages.HugeBytes));
        Assert.Equal(_page, mapping.PageSizeBytes);
        Assert.Contains($"huge pages of {TwoMebibytes} bytes are needed", mapping.HugePages.Reason, StringComparison.Ordinal);
        Assert.Contains("nr_hugepages", mapping.HugePages.Cure, StringComparison.Ordinal);
        Assert.StartsWith("Try(TwoMebibytes): not granted, ", mapping.HugePages.ToString(), StringComparison.Ordinal);
        Assert.Equal(mapping.HugePages.Reason, mapping.ReadHugePages().Reason);
        Assert.Equal(_page, SizesAt(mapping).KernelPageSizeBytes);
        mapping.Write(mapping.LengthBytes - 4, 5);
        Assert.Equal(5, mapping.Read<int>(mapping.LengthBytes - 4));
    }

    [Theory]
    [InlineData(MappingSharing.Private, false)]
    [InlineData(MappingSharing.Shared, false)]
    [InlineData(MappingSharing.Shared, true)]
    public void Requiring_more_than_there_is_says_how_to_get_it(MappingSharing sharing, bool mirrored)
    {
        var lengthBytes = MoreThanThePool();
        var options = new MemoryMappingOptions { Sharing = sharing, Mirrored = mirrored, HugePages = _require };
        var error = Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapAnonymous(lengthBytes, options));
        Assert.Equal(lengthBytes, error.RequestedBytes);
        var isDefault = KernelFile.KibibyteField(KernelFile.Text("/proc/meminfo"), "Hugepagesize") == TwoMebibytes;
        var command = isDefault ? "`sysctl vm.nr_hugepages=" : "nr_hugepages`";
        Assert.Contains(command, error.Message, StringComparison.Ordinal);
        MemoryMappingLeakTests.CheckGrowth(
            () => Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapAnonymous(lengthBytes, options)), cycles: 100);
    }

    [Theory]
    [InlineData(MappingSharing.Private, false, true)]
    [InlineData(MappingSharing.Private, false, false)]
    [InlineData(MappingSharing.Shared, false, true)]
    [InlineData(MappingSharing.Shared, true, true)]
    [InlineData(MappingSharing.Shared, true, false)]
    public void Pages_of_the_pool_are_taken_at_once_and_given_back(MappingSharing sharing, bool mirrored, bool guardPages)
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        var free = pool.Free;
        var lengthBytes = mirrored ? 3 * TwoMebibytes : 2 * TwoMebibytes + 5;
        var options = new MemoryMappingOptions
        {
            Sharing = sharing,
            Mirrored = mirrored,
            GuardPages = guardPages,
            HugePages = _require,
            ExcludeFromCoreDumps = true,
        };
        using (var mapping = MemoryMapping.MapAnonymous(lengthBytes, options))
        {
            var insideBytes = (mirrored ? 6 : 3) * TwoMebibytes;
            var start = mapping.Whole.Address(0);
            Assert.Equal(free - 3, pool.Free);
            Assert.Equal((lengthBytes, TwoMebibytes), (mapping.LengthBytes, mapping.PageSizeBytes));
            Assert.Equal(0, start % TwoMebibytes);
            Assert.True(mapping.HugePages!.IsGranted);
            Assert.Equal((TwoMebibytes, insideBytes), (mapping.HugePages.PageSizeBytes, mapping.HugePages.HugeBytes));
            Assert.Null(mapping.HugePages.Reason);
            foreach (var at in (nint[])[start, start + (nint)insideBytes - 1])
            {
                Assert.True(KernelProbe.CanWrite(at));
                Assert.Equal(TwoMebibytes, ProcessMaps.Read(withSizes: true).Find(at)!.Sizes!.KernelPageSizeBytes);
                Assert.Contains("dd", ProcMaps.FlagsAt(at));
            }

            if (guardPages)
            {
                Assert.Equal("---p", ProcMaps.PermissionsAt(start - 1));
                Assert.Equal("---p", ProcMaps.PermissionsAt(start + (nint)insideBytes));
            }

            mapping.Write(lengthBytes - 4, 77);
            if (mirrored) Assert.Equal(77, mapping.Read<int>(2 * lengthBytes - 4));
            Assert.True(mapping.ReadHugePages().IsGranted);
            mapping.Dispose();
            Assert.Throws<ObjectDisposedException>(() => mapping.ReadHugePages());
        }

        Assert.Equal(free, pool.Free);
    }

    [Fact]
    public void Protection_and_advice_go_by_the_huge_page()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        var options = new MemoryMappingOptions { Sharing = MappingSharing.Private, HugePages = _require, Access = MemoryAccess.None };
        using var mapping = MemoryMapping.MapAnonymous(3 * TwoMebibytes, options);
        var second = mapping.Whole.Address(TwoMebibytes);
        var error = Assert.Throws<ArgumentException>(() => mapping.Protect(TwoMebibytes, _page, MemoryAccess.ReadWrite));
        Assert.Contains("2097152", error.Message, StringComparison.Ordinal);
        mapping.Protect(TwoMebibytes, TwoMebibytes, MemoryAccess.ReadWrite);
        Assert.Equal("rw-p", ProcMaps.PermissionsAt(second));
        Assert.Equal("---p", ProcMaps.PermissionsAt(second + (nint)TwoMebibytes));
        using (mapping.Writable(0, 10)) Assert.Equal("rw-p", ProcMaps.PermissionsAt(second - 1));
        Assert.Equal("---p", ProcMaps.PermissionsAt(second - 1));
        Assert.Throws<InvalidOperationException>(() => mapping.Advise(TwoMebibytes, TwoMebibytes, MemoryAdvice.DontNeed));
    }

    [Fact]
    public void A_pool_that_runs_out_is_an_exception_and_takes_nothing()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        var free = pool.Available;
        using (MemoryMapping.MapAnonymous((free - 3) * TwoMebibytes, new() { HugePages = _require }))
        {
            foreach (var sharing in Enum.GetValues<MappingSharing>())
            {
                var options = new MemoryMappingOptions { Sharing = sharing, HugePages = _require };
                Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapAnonymous(4 * TwoMebibytes, options));
                Assert.Equal(3, pool.Available);
            }

            Assert.Throws<ShmNoSpaceException>(() => MemoryFile.Create("too-large", 4 * TwoMebibytes, new() { HugePages = _require }));
            Assert.Equal(3, pool.Available);

            // A file with holes, which even reading fills.
            using var sparse = LinuxFile.CreateInMemory("sparse", TwoMebibytes);
            LinuxFile.SetLength(sparse, 4 * TwoMebibytes);
            foreach (var access in (MemoryAccess[])[MemoryAccess.ReadOnly, MemoryAccess.ReadWrite])
            {
                Assert.ThrowsAny<ShmException>(() => MemoryMapping.MapFile(sparse, 0, 4 * TwoMebibytes, new() { Access = access }));
                Assert.Equal(3, pool.Available);
            }

            // Two pages of a file, and a private copy of them, which is made at once.
            using var file = MemoryFile.Create("two", 2 * TwoMebibytes, new() { HugePages = _require });
            var error = Assert.Throws<ShmNoSpaceException>(() => file.Map(new() { Sharing = MappingSharing.Private }));
            Assert.Contains("nr_hugepages", error.Message, StringComparison.Ordinal);
            using var reader = file.Map(new() { Access = MemoryAccess.ReadOnly });
            Assert.Equal(0, reader.Read<long>(2 * TwoMebibytes - 8));
        }

        Assert.Equal(free, pool.Available);
    }

    [Theory]
    [InlineData(MappingSharing.Private)]
    [InlineData(MappingSharing.Shared)]
    public void A_limit_that_is_met_at_the_touch_is_an_exception_too(MappingSharing sharing)
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        using var limit = new HugePageLimit(2 * TwoMebibytes);
        var free = pool.Available;
        var options = new MemoryMappingOptions { Sharing = sharing, HugePages = _require };
        var error = Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapAnonymous(4 * TwoMebibytes, options));
        Assert.Contains("hugetlb", error.Message, StringComparison.Ordinal);
        Assert.Equal(free, pool.Available);
        using var fits = MemoryMapping.MapAnonymous(2 * TwoMebibytes, options);
        Assert.True(fits.HugePages!.IsGranted);
    }

    [Fact]
    public void A_private_copy_of_huge_pages_is_made_when_it_becomes_writable()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        using var file = MemoryFile.Create("original", 2 * TwoMebibytes, new() { HugePages = _require });
        using var original = file.Map();
        original.Write(TwoMebibytes, 7);
        var free = pool.Free;
        using var copy = file.Map(new() { Sharing = MappingSharing.Private, Access = MemoryAccess.ReadOnly });
        Assert.Equal((free, 7), (pool.Free, copy.Read<int>(TwoMebibytes)));
        copy.Protect(0, 2 * TwoMebibytes, MemoryAccess.ReadWrite);
        Assert.Equal(free - 2, pool.Free);
        copy.Write(TwoMebibytes, 8);
        Assert.Equal(7, original.Read<int>(TwoMebibytes));
    }

    [Fact]
    public void A_memory_file_of_huge_pages()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        var free = pool.Free;
        using (var file = MemoryFile.Create("huge", 5000, new() { HugePages = _require }))
        {
            Assert.Equal((TwoMebibytes, TwoMebibytes), (file.LengthBytes, file.PageSizeBytes));
            Assert.Equal(free - 1, pool.Free);
            Assert.True(file.HugePages!.IsGranted);
            file.Grow(TwoMebibytes + 1);
            Assert.Equal((2 * TwoMebibytes, free - 2), (file.LengthBytes, pool.Free));
            using var mapping = file.Map(TwoMebibytes, 100);
            Assert.Equal(TwoMebibytes, mapping.PageSizeBytes);
            Assert.Null(mapping.HugePages!.Requested);
            Assert.True(mapping.HugePages.IsGranted);
            Assert.Equal(TwoMebibytes, SizesAt(mapping).KernelPageSizeBytes);
            var error = Assert.Throws<ArgumentException>(() => file.Map(_page, 100));
            Assert.Contains("2097152", error.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => file.Map(new() { Sharing = MappingSharing.Private, NoReserve = true }));
        }

        Assert.Equal(free, pool.Free);
    }

    [Fact]
    public void A_memory_file_falls_back_too()
    {
        using var file = MemoryFile.Create("small", 5000, new() { HugePages = HugePages.Try(HugePageSize.OneGibibyte) });
        Assert.SkipWhen(file.HugePages!.IsGranted, "This machine has a pool of pages of 1 GiB.");
        Assert.Equal((5000, _page), (file.LengthBytes, file.PageSizeBytes));
        Assert.NotNull(file.HugePages.Reason);
        Assert.NotNull(file.HugePages.Cure);
        var transparent = new MemoryFileOptions { HugePages = HugePages.Try(HugePageSize.Transparent) };
        Assert.Throws<ArgumentException>(() => MemoryFile.Create("transparent", 5000, transparent));
    }

    [Fact]
    public void Files_of_a_hugetlbfs()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        using var mount = new HugetlbMount(TwoMebibytes);
        var free = pool.Free;
        var path = Path.Combine(mount.Path, "file");
        using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite))
        {
            using var mapping = MemoryMapping.MapFile(file, 0, TwoMebibytes + 9, new() { HugePages = _require });
            Assert.Equal((TwoMebibytes + 9, TwoMebibytes, free - 2), (mapping.LengthBytes, mapping.PageSizeBytes, pool.Free));
            Assert.Equal(TwoMebibytes, SizesAt(mapping).KernelPageSizeBytes);
            mapping.Write(TwoMebibytes, 6);
            mapping.Flush();
            var gibibyte = HugePages.Try(HugePageSize.OneGibibyte);
            using var other = MemoryMapping.MapFile(path, new() { Access = MemoryAccess.ReadOnly, HugePages = gibibyte });
            Assert.Equal((2 * TwoMebibytes, 6), (other.LengthBytes, other.Read<int>(TwoMebibytes)));
            Assert.False(other.HugePages!.IsGranted);
            Assert.Contains("hugetlbfs with pages of 2097152", other.HugePages.Reason, StringComparison.Ordinal);
        }

        Assert.Equal(free - 2, pool.Free); // the file keeps them
        File.Delete(path);
        Assert.Equal(free, pool.Free);
    }

    [Fact]
    public void A_mapped_file_of_a_hugetlbfs_has_whole_huge_pages()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        using var mount = new HugetlbMount(TwoMebibytes);
        var path = Path.Combine(mount.Path, "file");
        using (var file = MappedFile.Create(path, 5000))
        {
            Resized(file, 0, 0);
            Resized(file, 1, 1);
            Resized(file, TwoMebibytes + 1, 2);
            Resized(file, 4 * TwoMebibytes - 1, 4);
            file.Write(0, 11, bytes => bytes.Fill(7));
            Resized(file, 2 * TwoMebibytes + 5, 3); // shorter
            file.Read(2 * TwoMebibytes, 5, _ => Assert.Throws<InvalidOperationException>(() => file.Resize(TwoMebibytes + 5)));
            Resized(file, 5, 1);
            Assert.Equal((11, TwoMebibytes - 11), (file.Count([7]), file.Count([0])));
            Assert.Throws<ShmNoSpaceException>(() => file.Resize(MoreThanThePool()));
            Assert.Throws<ArgumentOutOfRangeException>(() => file.Resize(long.MaxValue));
            Resized(file, TwoMebibytes, 1);
            file.Refresh();
        }

        File.Delete(path);

        static void Resized(MappedFile file, long lengthBytes, int pages)
        {
            file.Resize(lengthBytes);
            Assert.Equal(pages * TwoMebibytes, file.LengthBytes);
            if (file.Mapping is not { } mapping) return;
            Assert.Equal(pages * TwoMebibytes, ProcessMaps.Read().Find(mapping.Whole.Start)!.LengthBytes);
            mapping.Write(file.LengthBytes - 8, 5L);
            mapping.Write(file.LengthBytes - 8, 0L);
        }
    }

    // Whoever has a file mapped already may have been promised its pages: they are there for the next one, too.
    [Fact]
    public unsafe void Pages_that_are_promised_to_the_file_itself_are_taken()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        using var file = LinuxFile.CreateInMemory("promised", TwoMebibytes);
        LinuxFile.SetLength(file, 2 * TwoMebibytes);
        var others = pool.Available - 2;
        using var rest = MemoryMapping.MapAnonymous(others * TwoMebibytes, new() { HugePages = _require });
        var promise = LibC.mmap(
            null, (size_t)(ulong)(2 * TwoMebibytes), LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED, (int)file.DangerousGetHandle(), 0);
        Assert.NotEqual(-1, (nint)promise);
        try
        {
            Assert.Equal(0, pool.Available);
            using var mapping = MemoryMapping.MapFile(file, 0, 2 * TwoMebibytes);
            mapping.Write(2 * TwoMebibytes - 8, 6L);

            var error = Assert.Throws<ShmNoSpaceException>(() => MemoryFile.Create("other", TwoMebibytes, new() { HugePages = _require }));
            Assert.Contains("0 are free and not reserved", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            Assert.Equal(0, LibC.munmap(promise, (size_t)(ulong)(2 * TwoMebibytes)));
        }
    }

    [Fact]
    public void A_file_elsewhere_is_not_of_huge_pages()
    {
        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile(_page);
        using var mapping = MemoryMapping.MapFile(file, 0, _page, new() { HugePages = _try });
        Assert.False(mapping.HugePages!.IsGranted);
        Assert.Equal(_page, mapping.PageSizeBytes);
        var error = Assert.Throws<ShmException>(() => MemoryMapping.MapFile(file, 0, _page, new() { HugePages = _require }));
        Assert.Contains("mount -t hugetlbfs", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gibibyte_in_one_page()
    {
        using var pool = new HugePageLease(OneGibibyte, 1);
        var free = pool.Free;
        using (var mapping = MemoryMapping.MapAnonymous(5000, new() { HugePages = HugePages.Require(HugePageSize.OneGibibyte) }))
        {
            Assert.Equal(free - 1, pool.Free);
            Assert.Equal((5000, OneGibibyte), (mapping.LengthBytes, SizesAt(mapping).KernelPageSizeBytes));
            Assert.Equal((OneGibibyte, OneGibibyte), (mapping.PageSizeBytes, mapping.HugePages!.HugeBytes));
            mapping.Write(4992, 1L);
        }

        Assert.Equal(free, pool.Free);
    }

    [Fact]
    public void Without_pages_of_a_gibibyte_those_of_two_mebibytes_are_tried_before_ordinary_ones()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        var gibibyte = HugePages.Try(HugePageSize.OneGibibyte);
        Assert.SkipWhen(
            MemoryLimits.Read().HugePagePools.Any(pool => pool.PageSizeBytes == OneGibibyte && pool.Available + pool.MostSurplus > 0),
            "This machine has pages of 1 GiB to spare.");
        var free = pool.Free;
        using (var mapping = MemoryMapping.MapAnonymous(2 * TwoMebibytes + 1, new() { HugePages = gibibyte }))
        {
            Assert.Equal(free - 3, pool.Free);
            Assert.Equal((TwoMebibytes, TwoMebibytes), (mapping.PageSizeBytes, SizesAt(mapping).KernelPageSizeBytes));
            Instead(mapping.HugePages!, 3 * TwoMebibytes);
            Assert.Equal(mapping.HugePages!.Reason, mapping.ReadHugePages().Reason);
        }

        using (var file = MemoryFile.Create("smaller", TwoMebibytes + 1, new() { HugePages = gibibyte }))
        {
            Assert.Equal((free - 2, TwoMebibytes, 2 * TwoMebibytes), (pool.Free, file.PageSizeBytes, file.LengthBytes));
            Instead(file.HugePages!, 2 * TwoMebibytes);
        }

        Assert.Equal(free, pool.Free);
        using (var mapping = MemoryMapping.MapAnonymous((free + 1) * TwoMebibytes, new() { Sharing = MappingSharing.Private, HugePages = gibibyte }))
        {
            Assert.Equal((_page, free), (mapping.PageSizeBytes, pool.Free)); // too much for both pools
            Assert.Contains($"of {TwoMebibytes} bytes are needed", mapping.HugePages!.Reason, StringComparison.Ordinal);
        }

        void Instead(HugePageGrant grant, long hugeBytes)
        {
            Assert.False(grant.IsGranted);
            Assert.Same(gibibyte, grant.Requested);
            Assert.Equal((TwoMebibytes, hugeBytes), (grant.PageSizeBytes, grant.HugeBytes));
            Assert.Contains($"{OneGibibyte} bytes", grant.Reason, StringComparison.Ordinal);
            Assert.EndsWith($"Pages of {TwoMebibytes} bytes were taken instead.", grant.Reason, StringComparison.Ordinal);
            Assert.NotNull(grant.Cure);
        }
    }

    [Fact]
    public void With_neither_pool_the_reasons_of_both_are_told()
    {
        var options = new MemoryMappingOptions { Sharing = MappingSharing.Private, HugePages = HugePages.Try(HugePageSize.OneGibibyte) };
        using var mapping = MemoryMapping.MapAnonymous(MoreThanThePool(), options);
        Assert.SkipWhen(mapping.HugePages!.IsGranted, "This machine has a pool of pages of 1 GiB.");
        Assert.Equal(_page, mapping.PageSizeBytes);
        Assert.Contains($"{OneGibibyte} bytes", mapping.HugePages.Reason, StringComparison.Ordinal);
        Assert.Contains($"of {TwoMebibytes} bytes are needed", mapping.HugePages.Reason, StringComparison.Ordinal);
        Assert.Contains("nr_hugepages", mapping.HugePages.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_in_the_pool()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        nint free;
        var closed = new MemoryMappingOptions { Sharing = MappingSharing.Private, Access = MemoryAccess.None };
        using (var place = MemoryMapping.MapAnonymous(8 * TwoMebibytes, closed))
        {
            free = (place.Whole.Address(0) & -(nint)TwoMebibytes) + 2 * (nint)TwoMebibytes;
        }

        var options = new MemoryMappingOptions { Address = free, AddressIsRequired = true, HugePages = _require };
        using var mapping = MemoryMapping.MapAnonymous(TwoMebibytes, options);
        Assert.Equal(free, mapping.Whole.Address(0));
        var error = Assert.Throws<ShmException>(() => MemoryMapping.MapAnonymous(1, options));
        Assert.Contains("EEXIST", error.Message, StringComparison.Ordinal);
        using var elsewhere = MemoryMapping.MapAnonymous(1, new() { Address = free, HugePages = _require });
        Assert.Equal(0, elsewhere.Whole.Address(0) % TwoMebibytes);
        Assert.NotEqual(free, elsewhere.Whole.Address(0));
    }

    [Fact]
    public void Many_mappings_of_huge_pages_leave_nothing()
    {
        using var pool = new HugePageLease(TwoMebibytes, PoolPages);
        var free = pool.Free;
        Cycle(20);
        var (lines, bytes) = (ProcMaps.LineCount(), ProcMaps.AddressSpaceBytes());
        Cycle(200);
        Assert.InRange(ProcMaps.LineCount() - lines, -1000, 20);
        Assert.InRange(ProcMaps.AddressSpaceBytes() - bytes, long.MinValue, 100L * TwoMebibytes);
        Assert.Equal(free, pool.Free);

        static void Cycle(int times)
        {
            for (var i = 0; i < times; i++) MemoryMapping.MapAnonymous(1, new() { HugePages = _require }).Dispose();
        }
    }

    [Fact]
    public void What_contradicts_itself()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => HugePages.Try((HugePageSize)9));
        Assert.Throws<ArgumentOutOfRangeException>(() => HugePages.Require((HugePageSize)(-1)));
        MemoryMappingOptions[] wrong =
        [
            new() { Sharing = MappingSharing.Private, NoReserve = true, HugePages = _try },
            new() { Mirrored = true, HugePages = _try },
            new() { Address = (nint)TwoMebibytes + _page, HugePages = _try },
        ];
        foreach (var options in wrong) Assert.Throws<ArgumentException>(() => MemoryMapping.MapAnonymous(_page, options));
    }

    private static ProcessMappingSizes SizesAt(MemoryMapping mapping) =>
        ProcessMaps.Read(withSizes: true).Find(mapping.Whole.Address(0))!.Sizes!;

    private static long MoreThanThePool()
    {
        var pool = MemoryLimits.Read().HugePagePools.FirstOrDefault(pool => pool.PageSizeBytes == TwoMebibytes);
        Assert.SkipWhen(pool is null, "This machine has no huge pages of 2 MiB.");
        return (pool.Available + pool.MostSurplus + 2) * TwoMebibytes;
    }
}
