// Shared and private, placed and populated: what a mapping was asked to be, checked against the kernel's own list.

using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MappingModeTests : IDisposable
{
    private static readonly int _page = Environment.SystemPageSize;

    private readonly ScratchDirectory _scratch = new();

    private string File3Pages
    {
        get
        {
            var path = Path.Combine(_scratch.Path, "three");
            if (!File.Exists(path)) File.WriteAllBytes(path, [.. Enumerable.Range(0, 3 * _page).Select(i => (byte)(i / _page + 1))]);
            return path;
        }
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(MappingSharing.Shared, MemoryAccess.None, "---s")]
    [InlineData(MappingSharing.Shared, MemoryAccess.ReadOnly, "r--s")]
    [InlineData(MappingSharing.Shared, MemoryAccess.ReadWrite, "rw-s")]
    [InlineData(MappingSharing.Private, MemoryAccess.None, "---p")]
    [InlineData(MappingSharing.Private, MemoryAccess.ReadOnly, "r--p")]
    [InlineData(MappingSharing.Private, MemoryAccess.ReadWrite, "rw-p")]
    public void A_file_is_mapped_as_asked(MappingSharing sharing, MemoryAccess access, string permissions)
    {
        using var mapping = MemoryMapping.MapFile(File3Pages, new() { Sharing = sharing, Access = access });
        Assert.Equal(3 * _page, mapping.LengthBytes);
        Assert.Equal((sharing, access), (mapping.Sharing, mapping.Access));
        Assert.Equal(permissions, ProcMaps.PermissionsAt(mapping.Whole.Address(0)));
        Assert.Equal(permissions, ProcMaps.PermissionsAt(mapping.Whole.Address(3 * _page - 1)));
        if (access == MemoryAccess.None) Assert.Throws<InvalidOperationException>(() => mapping.Read<byte>(0));
        else Assert.Equal(3, mapping.Read<byte>(2 * _page));
    }

    [Theory]
    [InlineData(MappingSharing.Shared, MemoryAccess.None, "---s")]
    [InlineData(MappingSharing.Shared, MemoryAccess.ReadWrite, "rw-s")]
    [InlineData(MappingSharing.Private, MemoryAccess.None, "---p")]
    [InlineData(MappingSharing.Private, MemoryAccess.ReadWrite, "rw-p")]
    [InlineData(MappingSharing.Private, MemoryAccess.ReadExecute, "r-xp")]
    public void Anonymous_memory_is_mapped_as_asked(MappingSharing sharing, MemoryAccess access, string permissions)
    {
        using var mapping = MemoryMapping.MapAnonymous(2 * _page, new() { Sharing = sharing, Access = access });
        Assert.Equal(permissions, ProcMaps.PermissionsAt(mapping.Whole.Address(0)));
    }

    [Fact]
    public void A_private_mapping_keeps_its_writes_from_the_file_and_from_others()
    {
        using var handle = File.OpenHandle(File3Pages); // read-only: a private mapping needs no more to be written
        using var mine = MemoryMapping.MapFile(handle, _page, 2 * _page, new() { Sharing = MappingSharing.Private });
        using var other = MemoryMapping.MapFile(handle, _page, 2 * _page, new() { Sharing = MappingSharing.Private });
        mine.WriteAt(1, [77, 78]);
        Assert.Equal(77, mine.Read<byte>(1));
        Assert.Equal(2, other.Read<byte>(1));
        Assert.Equal(2, File.ReadAllBytes(File3Pages)[_page + 1]);
        Assert.Throws<InvalidOperationException>(() => mine.Flush());
    }

    [Fact]
    public void A_shared_write_is_in_the_file_at_once()
    {
        using var mapping = MemoryMapping.MapFile(File3Pages);
        mapping.Write(_page - 2, 0x01020304);
        Assert.Equal([4, 3, 2, 1], File.ReadAllBytes(File3Pages)[(_page - 2)..(_page + 2)]);
        foreach (var mode in Enum.GetValues<MemoryFlush>()) mapping.Flush(_page - 2, 4, mode);
        mapping.Flush();
        Assert.Throws<ArgumentException>(() => mapping.Flush((MemoryFlush)9));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Flush(3 * _page, 1));
    }

    [Fact]
    public void A_private_mapping_must_lie_inside_the_file_and_never_lengthens_it()
    {
        using var file = _scratch.NewFile(_page);
        Assert.Throws<ShmException>(() => MemoryMapping.MapFile(file, 0, 2 * _page, new() { Sharing = MappingSharing.Private }));
        Assert.Equal(_page, LinuxFile.Status(file).SizeBytes);
    }

    [Fact]
    public void An_empty_file_and_a_missing_one()
    {
        var path = Path.Combine(_scratch.Path, "empty");
        File.WriteAllBytes(path, []);
        Assert.Contains("is empty", Assert.Throws<ShmException>(() => MemoryMapping.MapFile(path)).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => MemoryMapping.MapFile(path + "-not"));
    }

    [Fact]
    public void The_address_that_is_required_is_taken_or_refused()
    {
        var (mapping, options) = MapWhereNobodyIs();
        using var taken = mapping;
        var free = options.Address;
        Assert.Equal(free, mapping.Whole.Address(0));
        mapping.Write(0, 5);

        var error = Assert.Throws<ShmException>(() => MemoryMapping.MapAnonymous(4 * _page, options));
        Assert.Contains("EEXIST", error.Message, StringComparison.Ordinal);
        Assert.Contains("Something lies there already", error.Message, StringComparison.Ordinal);
        Assert.Equal(5, mapping.Read<int>(0)); // it was not replaced

        using var elsewhere = MemoryMapping.MapAnonymous(4 * _page, new() { Address = free });
        Assert.NotEqual(free, elsewhere.Whole.Address(0)); // as a wish, the taken address is no error
    }

    // Another test may map something in the very place that was just given back: then in the next one.
    private static (MemoryMapping Mapping, MemoryMappingOptions Options) MapWhereNobodyIs()
    {
        for (var attempt = 1; ; attempt++)
        {
            nint free;
            using (var place = MemoryMapping.MapAnonymous(64 * _page)) free = place.Whole.Address(16 * _page);
            var options = new MemoryMappingOptions { Address = free, AddressIsRequired = true };
            try
            {
                return (MemoryMapping.MapAnonymous(4 * _page, options), options);
            }
            catch (ShmException error) when (error.ErrorNumber == LibC.EEXIST && attempt < 1000)
            {
            }
        }
    }

    [Fact]
    public void Options_that_contradict_each_other()
    {
        MemoryMappingOptions[] wrong =
        [
            new() { Sharing = MappingSharing.Private, Mirrored = true },
            new() { NoReserve = true },
            new() { Sharing = (MappingSharing)5 },
            new() { Address = 123 },
            new() { Address = -_page },
            new() { AddressIsRequired = true },
        ];
        foreach (var options in wrong) Assert.Throws<ArgumentException>(() => MemoryMapping.MapAnonymous(_page, options));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Private_memory_is_present_when_populated_and_not_before(bool populate)
    {
        const int Pages = 64;
        using var mapping = MemoryMapping.MapAnonymous(
            Pages * _page, new() { Sharing = MappingSharing.Private, Populate = populate, NoReserve = !populate });
        Assert.Equal(populate ? Pages : 0, KernelProbe.PagesPresent(mapping.Whole.Address(0), Pages * _page));
        mapping.Write(5 * _page, 1);
        if (!populate) Assert.Equal(1, KernelProbe.PagesPresent(mapping.Whole.Address(0), Pages * _page));
    }

    [Fact]
    public void Advice_is_what_the_kernel_notes_down()
    {
        using var mapping = MemoryMapping.MapAnonymous(4 * _page, new() { Sharing = MappingSharing.Private });
        (MemoryAdvice Advice, string Flag, bool Stands)[] cases =
        [
            (MemoryAdvice.Sequential, "sr", true), (MemoryAdvice.Normal, "sr", false), (MemoryAdvice.Random, "rr", true),
            (MemoryAdvice.DontFork, "dc", true), (MemoryAdvice.DoFork, "dc", false),
            (MemoryAdvice.DontDump, "dd", true), (MemoryAdvice.DoDump, "dd", false),
        ];
        foreach (var (advice, flag, stands) in cases)
        {
            mapping.Advise(_page, 2 * _page, advice);
            Assert.Equal(stands, ProcMaps.FlagsAt(mapping.Whole.Address(_page)).Contains(flag));
            Assert.DoesNotContain(flag, ProcMaps.FlagsAt(mapping.Whole.Address(3 * _page)));
        }

        mapping.Advise(0, 4 * _page, MemoryAdvice.PopulateWrite);
        Assert.Equal(4, KernelProbe.PagesPresent(mapping.Whole.Address(0), 4 * _page));
        mapping.Write(0, 9);
        mapping.Advise(0, 4 * _page, MemoryAdvice.DontNeed);
        Assert.Equal(0, KernelProbe.PagesPresent(mapping.Whole.Address(0), 4 * _page));
        Assert.Equal(0, mapping.Read<int>(0));
    }

    [Fact]
    public void Advice_that_cannot_be_taken()
    {
        using var mapping = MemoryMapping.MapFile(File3Pages, new() { Access = MemoryAccess.ReadOnly });
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Advise(1, _page, MemoryAdvice.Normal));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Advise(0, 4 * _page, MemoryAdvice.Normal));
        Assert.Throws<ArgumentException>(() => mapping.Advise(0, _page + 1, MemoryAdvice.Normal));
        Assert.Throws<ArgumentException>(() => mapping.Advise(0, _page, (MemoryAdvice)99));
        Assert.Throws<InvalidOperationException>(() => mapping.Advise(0, _page, MemoryAdvice.PopulateWrite));
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapping.Advise(0, _page, MemoryAdvice.Normal));
    }
}
