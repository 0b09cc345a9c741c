// More than the machine has, asked for in every way there is: refused before any of it is taken, because the kernel would kill a process
// for the rest.

using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MemoryRoomTests
{
    private const long TooMuch = 1L << 42;

    private static readonly MemoryMappingOptions _sparse = new() { Sharing = MappingSharing.Private, NoReserve = true };

    [Theory]
    [InlineData(MappingSharing.Shared, MemoryAccess.ReadOnly)]
    [InlineData(MappingSharing.Shared, MemoryAccess.None)]
    [InlineData(MappingSharing.Private, MemoryAccess.ReadWrite)]
    public void The_holes_of_a_file_in_memory(MappingSharing sharing, MemoryAccess access)
    {
        using var file = LinuxFile.CreateInMemory("holes");
        LinuxFile.SetLength(file, TooMuch);
        Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapFile(file, 0, TooMuch, new() { Sharing = sharing, Access = access }));
        Assert.Equal(0, KernelProbe.AllocatedBytes(file));
    }

    [Fact]
    public void The_holes_of_a_file_on_tmpfs()
    {
        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile(TooMuch);
        Assert.Throws<ShmNoSpaceException>(
            () => MemoryMapping.MapFile(file, 0, TooMuch, new MemoryMappingOptions { Access = MemoryAccess.ReadOnly }));
        Assert.Equal(0, KernelProbe.AllocatedBytes(file));
    }

    [Fact]
    public void Private_memory_that_is_to_be_populated_later()
    {
        using var mapping = MemoryMapping.MapAnonymous(TooMuch, _sparse);
        var error = Assert.Throws<ShmNoSpaceException>(() => mapping.Advise(0, TooMuch, MemoryAdvice.PopulateWrite));
        Assert.Equal(TooMuch, error.RequestedBytes);
        Assert.Equal(0, KernelProbe.PagesPresent(mapping.Whole.Address(0), 1 << 20));
        mapping.Advise(0, 1 << 20, MemoryAdvice.PopulateWrite);
    }

    [Fact]
    public void A_private_copy_of_a_file_that_is_to_be_populated()
    {
        using var root = new DiskRoot();
        using var file = File.OpenHandle(Path.Combine(root.Path, "holes"), FileMode.CreateNew, FileAccess.ReadWrite);
        LinuxFile.SetLength(file, TooMuch);
        MemoryMappingOptions options = new() { Sharing = MappingSharing.Private, NoReserve = true, Populate = true };
        Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapFile(file, 0, TooMuch, options));
    }

    // What lies beyond the end of the file is missing, however much space the rest of it has taken.
    [Theory]
    [InlineData(0, 100, 0, 0, 100)]
    [InlineData(0, 100, 100, 100, 0)]
    [InlineData(100, 100, 100, 100, 100)] // grows to the double
    [InlineData(50, 100, 100, 100, 50)]
    [InlineData(200, 100, 100, 100, 100)]
    [InlineData(0, 100, 100, 30, 70)]
    [InlineData(0, 100, 1000, 500, 0)] // may all lie there already
    public void What_is_missing_of_a_file(long offset, long length, long size, long taken, long missing) =>
        Assert.Equal(missing, Math.Max(0, LinuxFile.MissingBytes(offset, length, size, taken)));

    [Fact]
    public void The_whole_process_with_address_space_that_it_never_touched()
    {
        using var mapping = MemoryMapping.MapAnonymous(TooMuch, _sparse);
        Assert.False(MemoryLock.TryLockAll(MemoryLockScope.Current, onFault: false, out _, out var refusal));
        Assert.IsType<ShmNoSpaceException>(refusal);
    }
}
