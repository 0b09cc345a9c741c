using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class LinuxFileSpaceTests
{
    [Fact]
    public void Allocate_lengthens_the_file_and_never_shortens_it()
    {
        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile();
        LinuxFile.Allocate(file, 4096, 5000);
        Assert.Equal(9096, LinuxFile.Status(file).SizeBytes);
        LinuxFile.Allocate(file, 0, 100);
        Assert.Equal(9096, LinuxFile.Status(file).SizeBytes);
    }

    [Fact]
    public void Allocate_takes_more_than_one_step()
    {
        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile();
        Assert.SkipWhen(LinuxFile.AvailableBytes(file) < 512L << 20, "There is too little room in /dev/shm to take 130 MiB.");
        LinuxFile.Allocate(file, 0, 130L << 20);
        Assert.Equal(130L << 20, LinuxFile.Status(file).SizeBytes);
    }

    // Never on a large tmpfs: should the check be broken, this would fill the machine's memory.
    [Fact]
    public void What_cannot_fit_takes_nothing_and_names_the_sizes()
    {
        using var tmpfs = new SmallTmpfs();
        using var file = tmpfs.NewFile();
        const long TooMuch = 1L << 40;
        var error = Assert.Throws<ShmNoSpaceException>(() => LinuxFile.Allocate(file, 0, TooMuch));
        Assert.Equal(TooMuch, error.RequestedBytes);
        Assert.Equal(SmallTmpfs.SizeBytes, error.AvailableBytes);
        Assert.Contains($"{TooMuch} bytes were asked for", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{SmallTmpfs.SizeBytes} bytes free of {SmallTmpfs.SizeBytes}", error.Message, StringComparison.Ordinal);
        Assert.Contains("--shm-size", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, LinuxFile.Status(file).SizeBytes);
        Assert.Equal(SmallTmpfs.SizeBytes, LinuxFile.AvailableBytes(file));
    }

    [Fact]
    public void A_full_file_system_is_an_exception_and_what_fits_still_fits()
    {
        using var tmpfs = new SmallTmpfs();
        using var first = tmpfs.NewFile();
        using var second = tmpfs.NewFile();
        LinuxFile.Allocate(first, 0, SmallTmpfs.SizeBytes / 2);
        var error = Assert.Throws<ShmNoSpaceException>(() => LinuxFile.Allocate(second, 0, SmallTmpfs.SizeBytes));
        Assert.Equal(SmallTmpfs.SizeBytes, error.RequestedBytes);
        Assert.Equal(SmallTmpfs.SizeBytes / 2, error.AvailableBytes);
        Assert.Equal(0, LinuxFile.Status(second).SizeBytes);
        LinuxFile.Allocate(second, 0, SmallTmpfs.SizeBytes / 2);
        Assert.Equal(0, LinuxFile.AvailableBytes(second));
    }

    // The space that the file has lies outside the range, so only the kernel can tell that it does not fit.
    [Fact]
    public void The_kernels_refusal_is_the_same_exception()
    {
        using var tmpfs = new SmallTmpfs();
        using var file = tmpfs.NewFile();
        LinuxFile.Allocate(file, 0, SmallTmpfs.SizeBytes / 2);
        var error = Assert.Throws<ShmNoSpaceException>(
            () => LinuxFile.Allocate(file, SmallTmpfs.SizeBytes, SmallTmpfs.SizeBytes / 4 * 3));
        Assert.Equal(SmallTmpfs.SizeBytes / 4 * 3, error.RequestedBytes);
        Assert.Equal(Tmds.Linux.LibC.ENOSPC, error.ErrorNumber);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    public void Ranges_that_are_none_are_refused(long offset, long lengthBytes)
    {
        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile();
        Assert.Throws<ArgumentOutOfRangeException>(() => LinuxFile.Allocate(file, offset, lengthBytes));
    }

    [Fact]
    public void SetLength_sets_it_both_ways()
    {
        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile();
        LinuxFile.SetLength(file, 12345);
        Assert.Equal(12345, LinuxFile.Status(file).SizeBytes);
        LinuxFile.SetLength(file, 7);
        Assert.Equal(7, LinuxFile.Status(file).SizeBytes);
        Assert.Throws<ShmException>(() => LinuxFile.SetLength(file, -1));
    }

    [Fact]
    public void FileSystemMagic_tells_tmpfs()
    {
        using var scratch = new ScratchDirectory();
        Assert.Equal(LibCExtras.TMPFS_MAGIC, LinuxFile.FileSystemMagic(scratch.Handle));
        using var proc = LinuxFile.OpenDirectory("/proc");
        Assert.NotEqual(LibCExtras.TMPFS_MAGIC, LinuxFile.FileSystemMagic(proc));
    }
}
