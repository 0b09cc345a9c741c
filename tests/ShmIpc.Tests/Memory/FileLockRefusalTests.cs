// What is refused, and whether it says what to do instead.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Memory;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class FileLockRefusalTests : IDisposable
{
    private readonly ScratchRoot _scratch = new();
    private readonly string _path;

    public FileLockRefusalTests()
    {
        _path = _scratch.FileOf("file");
        File.WriteAllText(_path, "some bytes to lock");
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(-1, 1, "begins at offset 0")]
    [InlineData(0, 0, "at least one byte")]
    [InlineData(0, -1, "at least one byte")]
    [InlineData(long.MaxValue, 1, "No file reaches")]
    [InlineData(1, long.MaxValue, "No file reaches")]
    public void Ranges_that_are_none(long offset, long lengthBytes, string expected)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new FileRange(offset, lengthBytes));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_range_that_begins_before_the_file() => Assert.Throws<ArgumentOutOfRangeException>(() => FileRange.From(-1));

    [Fact]
    public void The_largest_range_works()
    {
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(1, long.MaxValue - 1));
        Assert.Single(KernelLocks.Of(_path));
        using FileLock? last = FileLock.TryAcquire(_path, FileLockKind.Exclusive, FileRange.From(long.MaxValue));
        Assert.Equal(2, KernelLocks.Of(_path).Length);
    }

    [Fact]
    public void A_closed_handle()
    {
        SafeFileHandle file = File.OpenHandle(_path, access: FileAccess.ReadWrite);
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => FileLock.TryAcquire(file, FileLockKind.Exclusive));
        Assert.Throws<ObjectDisposedException>(() => FileLock.Acquire(file, FileLockKind.Shared, TimeSpan.Zero));
        Assert.Throws<ObjectDisposedException>(() => FileLock.FindConflict(file, FileLockKind.Exclusive));
    }

    [Fact]
    public void A_handle_without_a_file()
    {
        using SafeFileHandle file = new();
        Assert.Throws<ArgumentException>(() => FileLock.TryAcquire(file, FileLockKind.Exclusive));
    }

    [Fact]
    public void Nothing()
    {
        Assert.Throws<ArgumentNullException>(() => FileLock.TryAcquire((string)null!, FileLockKind.Shared));
        Assert.Throws<ArgumentNullException>(() => FileLock.TryAcquire((SafeFileHandle)null!, FileLockKind.Shared));
        Assert.Throws<ArgumentException>(() => FileLock.TryAcquire("", FileLockKind.Shared));
    }

    [Theory]
    [InlineData(FileLockKind.Shared)]
    [InlineData(FileLockKind.Exclusive)]
    public void What_is_no_regular_file(FileLockKind kind)
    {
        string pipe = _scratch.FileOf("pipe");
        MakePipe(pipe);
        foreach (string path in (string[])[_scratch.Path, "/dev/null", pipe])
        {
            var error = Assert.Throws<ArgumentException>(() => FileLock.TryAcquire(path, kind));
            Assert.Contains("Only a regular file", error.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => FileLock.FindConflict(path, kind));
        }

        Assert.Empty(OpenFiles.Of(pipe));
    }

    [Fact]
    public void A_file_that_is_not_there_and_none_is_made()
    {
        string path = _scratch.FileOf("none");
        var error = Assert.Throws<ShmException>(() => FileLock.TryAcquire(path, FileLockKind.Exclusive));
        Assert.Equal(LibC.ENOENT, error.ErrorNumber);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void An_exclusive_lock_of_what_is_open_for_reading_only()
    {
        using SafeFileHandle file = File.OpenHandle(_path);
        var error = Assert.Throws<UnauthorizedAccessException>(() => FileLock.TryAcquire(file, FileLockKind.Exclusive));
        string expected = $"needs a file open for writing, and \"{_path}\" is open for reading only";
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        using FileLock? shared = FileLock.TryAcquire(file, FileLockKind.Shared);
        Assert.Throws<UnauthorizedAccessException>(() => shared!.TryUpgrade());
        Assert.Equal(["OFDLCK READ 0 EOF"], KernelLocks.Of(_path).Where(line => line.StartsWith("OFD", StringComparison.Ordinal)));
        Assert.Null(FileLock.FindConflict(file, FileLockKind.Shared)); // asking is allowed
        Assert.NotNull(FileLock.FindConflict(file, FileLockKind.Exclusive));
    }

    [Fact]
    public void A_shared_lock_of_what_is_open_for_writing_only()
    {
        using SafeFileHandle file = File.OpenHandle(_path, access: FileAccess.Write, share: FileShare.ReadWrite);
        var error = Assert.Throws<UnauthorizedAccessException>(() => FileLock.TryAcquire(file, FileLockKind.Shared));
        Assert.Contains("needs a file open for reading", error.Message, StringComparison.Ordinal);
        using FileLock? held = FileLock.TryAcquire(file, FileLockKind.Exclusive);
        Assert.Throws<UnauthorizedAccessException>(held!.Downgrade);
        Assert.Equal(FileLockKind.Exclusive, held.Kind);
    }

    [Fact]
    public void A_file_that_this_user_may_only_read()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "Root may write every file.");
        File.SetUnixFileMode(_path, UnixFileMode.UserRead);
        Assert.Throws<UnauthorizedAccessException>(() => FileLock.TryAcquire(_path, FileLockKind.Exclusive));
        using FileLock? shared = FileLock.TryAcquire(_path, FileLockKind.Shared);
        Assert.NotNull(shared);
        Assert.NotNull(FileLock.FindConflict(_path, FileLockKind.Exclusive));
    }

    [Fact]
    public void A_kind_or_a_timeout_that_there_is_not()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FileLock.TryAcquire(_path, (FileLockKind)2));
        Assert.Throws<ArgumentOutOfRangeException>(() => FileLock.FindConflict(_path, (FileLockKind)(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => FileLock.Acquire(_path, FileLockKind.Shared, TimeSpan.FromMilliseconds(-2)));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => { _ = FileLock.AcquireAsync(_path, FileLockKind.Shared, TimeSpan.FromMilliseconds(-2)); });
    }

    private static unsafe void MakePipe(string path)
    {
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        {
            Assert.Equal(0, LibC.mknod(name, LibC.S_IFIFO | 0x180, 0));
        }
    }
}
