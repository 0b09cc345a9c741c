// What is refused, and that it leaves nothing behind. Each message names what was wrong and what to do.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MemoryMappingRefusalTests : IDisposable
{
    private static readonly int _page = Environment.SystemPageSize;
    private static readonly MemoryMappingOptions _readOnly = new() { Access = MemoryAccess.ReadOnly };

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_pipe_is_refused_without_waiting_for_its_other_end()
    {
        var path = Path.Combine(_scratch.Path, "pipe");
        using (var maker = System.Diagnostics.Process.Start("mkfifo", path))
        {
            await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var mapping = OwnThread.Run(() =>
        {
            Assert.Throws<ArgumentException>(() => MemoryMapping.MapFile(path, _readOnly));
            Assert.Throws<ArgumentException>(() => MappedFile.Open(path, _readOnly));
            return Assert.Throws<ArgumentException>(() => FileWindow.Walk(path).Count());
        });
        var done = await Task.WhenAny(mapping, Task.Delay(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        if (done != mapping) using (File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite)) await mapping; // lets it go
        Assert.Equal(mapping, done);
        Assert.Throws<ArgumentException>(() => MemoryMapping.MapFile("/dev/zero"));
        Assert.Throws<ArgumentException>(() => MemoryMapping.MapFile(_scratch.Path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData((1L << 47) + 1)]
    public void A_length_that_cannot_be(long lengthBytes)
    {
        using var file = _scratch.NewFile();
        foreach (var map in (Action[])[() => MemoryMapping.MapFile(file, 0, lengthBytes), () => MemoryMapping.MapAnonymous(lengthBytes)])
        {
            Assert.Equal(nameof(lengthBytes), Assert.Throws<ArgumentOutOfRangeException>(map).ParamName);
        }

        Assert.Equal(0, LinuxFile.Status(file).SizeBytes);
    }

    [Fact]
    public void An_offset_that_cannot_be()
    {
        using var file = _scratch.NewFile();
        Assert.Throws<ArgumentOutOfRangeException>(() => MemoryMapping.MapFile(file, -_page, _page));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemoryMapping.MapFile(file, long.MaxValue & -_page, _page));
        var error = Assert.Throws<ArgumentException>(() => MemoryMapping.MapFile(file, _page + 10, _page));
        Assert.Contains($"map from {_page} and skip the first 10 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_only_range_past_the_end_of_the_file()
    {
        using var file = _scratch.NewFile(_page + 1);
        MemoryMapping.MapFile(file, 0, _page + 1, _readOnly).Dispose();
        var error = Assert.Throws<ShmException>(() => MemoryMapping.MapFile(file, 0, _page + 2, _readOnly));
        Assert.Contains($"has {_page + 1} bytes", error.Message, StringComparison.Ordinal);
        Assert.Throws<ShmException>(() => MemoryMapping.MapFile(file, 2 * _page, 1, _readOnly));
    }

    [Fact]
    public void Writing_to_a_file_that_was_opened_to_be_read()
    {
        using var file = _scratch.NewFile(_page);
        using var readOnly = LinuxFile.Reopen(file, writable: false);
        var error = Assert.Throws<UnauthorizedAccessException>(() => MemoryMapping.MapFile(readOnly, 0, _page));
        Assert.Contains("opened read-only", error.Message, StringComparison.Ordinal);
        MemoryMapping.MapFile(readOnly, 0, _page, _readOnly).Dispose();
    }

    [Fact]
    public void Reading_a_file_that_was_opened_to_be_written()
    {
        using var file = File.OpenHandle(Path.Combine(_scratch.Path, "file"), FileMode.CreateNew, FileAccess.Write);
        Assert.Throws<UnauthorizedAccessException>(() => MemoryMapping.MapFile(file, 0, _page));
        Assert.Throws<UnauthorizedAccessException>(() => MemoryMapping.MapFile(file, 0, _page, _readOnly));
    }

    [Fact]
    public void What_is_no_regular_file()
    {
        Assert.Throws<ArgumentException>(() => MemoryMapping.MapFile(_scratch.Handle, 0, _page, _readOnly));
        Assert.Throws<ArgumentNullException>(() => MemoryMapping.MapFile(null!, 0, _page));
        using var invalid = new SafeFileHandle(-1, ownsHandle: false);
        Assert.Throws<ArgumentException>(() => MemoryMapping.MapFile(invalid, 0, _page));
        var closed = _scratch.NewFile(_page);
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => MemoryMapping.MapFile(closed, 0, _page));
    }

    [Fact]
    public void Options_that_make_no_sense()
    {
        Assert.Throws<ArgumentException>(() => MemoryMapping.MapAnonymous(_page, _readOnly));
        Assert.Throws<ArgumentException>(() => MemoryMapping.MapAnonymous(_page, new MemoryMappingOptions { Access = (MemoryAccess)7 }));
    }

    [Fact]
    public void More_than_the_file_system_has()
    {
        using var tmpfs = new SmallTmpfs();
        using var file = tmpfs.NewFile();
        const long TooMuch = 2 * SmallTmpfs.SizeBytes;
        var error = Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapFile(file, 0, TooMuch));
        Assert.Equal(TooMuch, error.RequestedBytes);
        Assert.Contains($"{TooMuch} bytes were asked for", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{SmallTmpfs.SizeBytes} bytes free", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, LinuxFile.Status(file).SizeBytes);
    }

    [Fact]
    public void More_than_the_machine_has()
    {
        const long TooMuch = 1L << 46; // more than any machine, and little enough that the kernel itself has no other reason to refuse
        var error = Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapAnonymous(TooMuch));
        Assert.Equal(TooMuch, error.RequestedBytes);
        Assert.InRange(error.AvailableBytes, 1, TooMuch - 1);
        Assert.Contains("MemAvailable", error.Message, StringComparison.Ordinal);
    }

    // The reservation exists by then, so this is a failure half way.
    [Fact]
    public void A_sealed_memfd_and_nothing_stays_mapped()
    {
        using var memfd = MappingSources.NewMemfd();
        LinuxFile.Allocate(memfd, 0, _page);
        Assert.Equal(0, LibC.fcntl((int)memfd.DangerousGetHandle(), LibC.F_ADD_SEALS, LibC.F_SEAL_GROW | LibC.F_SEAL_SHRINK));
        MemoryMapping.MapFile(memfd, 0, _page).Dispose();
        Assert.Throws<UnauthorizedAccessException>(() => MemoryMapping.MapFile(memfd, 0, 2 * _page)); // would have to grow

        Assert.Equal(0, LibC.fcntl((int)memfd.DangerousGetHandle(), LibC.F_ADD_SEALS, LibC.F_SEAL_WRITE));
        Assert.Throws<UnauthorizedAccessException>(() => MemoryMapping.MapFile(memfd, 0, _page));
        MemoryMapping.MapFile(memfd, 0, _page, _readOnly).Dispose();
    }
}
