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

    // Pages that are closed take nothing, so no closing is ever refused for want of memory.
    [Fact]
    public void A_scope_closes_beside_another_one_however_little_memory_there_is()
    {
        using var mapping = ClosedSparse();
        using var first = mapping.Writable(0, TooMuch);
        var second = mapping.Writable(0, TooMuch);
        using var token = Locked(mapping);
        second.Dispose();
        Assert.Equal("rw-p", PermissionsAt(mapping, TooMuch / 2));
        first.Dispose();
        Assert.Equal("---p", PermissionsAt(mapping, TooMuch / 2));
        Assert.Equal("---p", PermissionsAt(mapping, 0));
    }

    // The kernel brings in what is locked, and not its neighbours.
    [Fact]
    public void One_locked_page_does_not_keep_the_rest_from_becoming_writable()
    {
        using var mapping = ClosedSparse();
        mapping.Protect(0, Environment.SystemPageSize, MemoryAccess.ReadWrite);
        using var token = Locked(mapping);
        using (mapping.Writable(0, TooMuch)) mapping.Write(TooMuch - 8, 1L);
        mapping.Protect(0, TooMuch, MemoryAccess.ReadWrite);
        Assert.Equal(1, KernelProbe.PagesPresent(mapping.Whole.Start, 1 << 20));
    }

    // What another part of the file has taken is no help.
    [Fact]
    public void A_window_beside_what_the_file_has_taken()
    {
        using var file = LinuxFile.CreateInMemory("window");
        LinuxFile.SetLength(file, 1L << 43);
        LinuxFile.Allocate(file, 0, 1 << 20);
        Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapFile(file, 1L << 42, TooMuch));
        Assert.Equal(1 << 20, KernelProbe.AllocatedBytes(file));
    }

    [Theory]
    [InlineData(0, 16, 16)]
    [InlineData(16, 16, 0)]
    [InlineData(8, 16, 8)]
    [InlineData(1000, 24, 1)] // beyond the end, too
    public void What_a_range_has_taken_of_a_sparse_file_in_memory(int firstPage, int pages, int expected)
    {
        var page = Environment.SystemPageSize;
        using var file = LinuxFile.CreateInMemory("taken");
        LinuxFile.SetLength(file, 1001 * page);
        LinuxFile.Allocate(file, 0, 16 * page); // never written to
        RandomAccess.Write(file, [1], 1000 * page);
        var taken = LinuxFile.TakenBytes(file, firstPage * page, pages * page);
        Assert.SkipWhen(taken is null, "This kernel (before 6.5) does not say which pages of a file are there.");
        Assert.Equal(expected * page, taken);
    }

    // Where a file system compresses, what was written takes fewer blocks than it has bytes, and writing it again takes no more.
    [Fact]
    public void What_was_written_counts_as_taken_however_few_blocks_it_has()
    {
        const int Block = 1 << 16; // no file system has larger ones
        using var root = new DiskRoot();
        using var file = File.OpenHandle(root.FileOf("x"), FileMode.CreateNew, FileAccess.ReadWrite);
        var written = new byte[Block];
        Array.Fill(written, (byte)1);
        foreach (var at in (long[])[2, 3, 7]) RandomAccess.Write(file, written, at * Block);
        LinuxFile.SetLength(file, 20 * Block);
        Assert.Equal(3 * Block, LinuxFile.DataBytes(file, 0, 20 * Block));
        Assert.Equal(2 * Block, LinuxFile.DataBytes(file, 3 * Block, 5 * Block));
        Assert.Equal(Block / 2, LinuxFile.DataBytes(file, 0, 2 * Block + Block / 2));
        Assert.Equal(0, LinuxFile.DataBytes(file, 8 * Block, 1L << 40)); // past its end, too
        Assert.Equal(0, (long)Tmds.Linux.LibC.lseek((int)file.DangerousGetHandle(), 0, Tmds.Linux.LibC.SEEK_CUR)); // nobody's position moved
    }

    [Fact]
    public void Of_a_file_on_a_disk_nobody_says_what_a_range_has_taken()
    {
        using var root = new DiskRoot();
        using var file = File.OpenHandle(Path.Combine(root.Path, "x"), FileMode.CreateNew, FileAccess.ReadWrite);
        Assert.Null(LinuxFile.TakenBytes(file, 0, 4096));
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

    private static MemoryMapping ClosedSparse() => MemoryMapping.MapAnonymous(
        TooMuch, new() { Sharing = MappingSharing.Private, NoReserve = true, Access = MemoryAccess.None });

    private static string PermissionsAt(MemoryMapping mapping, long offset) =>
        ProcMaps.LineAt(mapping.Whole.Address(offset)).Split(' ')[1];

    private static MemoryLock Locked(MemoryMapping mapping)
    {
        Assert.SkipUnless(
            mapping.TryLock(0, Environment.SystemPageSize, onFault: false, out var token, out var refusal), refusal?.Message ?? "");
        return token!;
    }
}
