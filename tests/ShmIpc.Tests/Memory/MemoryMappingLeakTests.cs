// Counts what the process has mapped and open, so nothing else may run meanwhile.

using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

[CollectionDefinition(nameof(MemoryMappingLeakTests), DisableParallelization = true)]
[Collection(nameof(MemoryMappingLeakTests))]
public sealed class MemoryMappingLeakTests
{
    private const int Cycles = 10_000;

    // The runtime maps on its own account now and then (code, thread stacks, parts of its heap), so one batch of several has to come out
    // even; what leaks, leaks in each. The smallest leak is one page a cycle, 40 MiB a batch: lines of their own, or longer ones.
    private const int Batches = 4;
    private const int SlackLines = 20;
    private const long SlackBytes = 1 << 20;

    private static readonly int _page = Environment.SystemPageSize;

    [Theory]
    [InlineData(MappingSource.File)]
    [InlineData(MappingSource.Memfd)]
    [InlineData(MappingSource.Anonymous)]
    public void Mapping_and_unmapping_leaves_nothing(MappingSource source)
    {
        var options = new MemoryMappingOptions { Mirrored = true };
        CheckGrowth(() => MappingSources.Map(source, 2 * _page, options).Dispose());
    }

    [Theory]
    [InlineData(MappingSource.File)]
    [InlineData(MappingSource.Memfd)]
    [InlineData(MappingSource.Anonymous)]
    public void Dispose_unmaps_at_once_and_not_while_referenced(MappingSource source)
    {
        var mapping = MappingSources.Map(source, _page);
        var start = mapping.Whole.Address(0);
        var line = ProcMaps.LineAt(start);
        mapping.AddReference();
        mapping.Dispose();
        Assert.Equal("rw-s", ProcMaps.PermissionsAt(start));
        mapping.ReleaseReference();
        Assert.NotEqual(line, ProcMaps.LineAt(start));
    }

    [Fact]
    public void A_failure_half_way_leaves_nothing()
    {
        using var memfd = MappingSources.NewMemfd();
        LinuxFile.Allocate(memfd, 0, _page);
        var descriptor = (int)memfd.DangerousGetHandle();
        Assert.Equal(0, Tmds.Linux.LibC.fcntl(descriptor, Tmds.Linux.LibC.F_ADD_SEALS, Tmds.Linux.LibC.F_SEAL_WRITE));
        CheckGrowth(() =>
        {
            var error = Assert.Throws<UnauthorizedAccessException>(() => MemoryMapping.MapFile(memfd, 0, _page));
            Assert.StartsWith("mmap(", error.Message, StringComparison.Ordinal); // so the reservation stood already
        });
    }

    [Fact]
    public void Failures_to_open_leave_nothing()
    {
        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile();
        Assert.True(LinuxFile.TryLinkAt(file, scratch.Handle, "name"));
        CheckGrowth(() =>
        {
            using var other = LinuxFile.Reopen(file);
            Assert.False(LinuxFile.TryLinkAt(other, scratch.Handle, "name"));
            Assert.Null(LinuxFile.TryOpenAt(scratch.Handle, "nothing", out _));
        });
    }

    internal static void CheckGrowth(Action cycle, int cycles = Cycles)
    {
        for (var i = 0; i < 100; i++) cycle();
        var growth = new List<string>();
        for (var batch = 0; batch < Batches; batch++)
        {
            var (lines, descriptors, bytes) = (ProcMaps.LineCount(), ProcMaps.DescriptorCount(), ProcMaps.AddressSpaceBytes());
            for (var i = 0; i < cycles; i++) cycle();
            lines = ProcMaps.LineCount() - lines;
            descriptors = ProcMaps.DescriptorCount() - descriptors;
            bytes = ProcMaps.AddressSpaceBytes() - bytes;
            if (lines <= SlackLines && descriptors <= 0 && bytes <= SlackBytes) return;
            growth.Add($"{lines} lines of maps, {descriptors} descriptors, {bytes} bytes of address space");
        }

        Assert.Fail($"{cycles} cycles grew each time: {string.Join("; ", growth)}.");
    }
}
