// The other kinds of lock that Linux has, and whether they and ours see each other. docs/memory.md has the table.

using ShmIpc.Channels;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class FileLockKindsTests : IDisposable
{
    private readonly ScratchRoot _scratch = new();
    private readonly string _path;

    public FileLockKindsTests()
    {
        _path = _scratch.FileOf("file");
        File.WriteAllText(_path, "some bytes to lock");
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_lock_of_FileStream_in_this_process_is_seen_and_lost_because_ours_closed_the_file()
    {
        using FileStream stream = OpenStream(FileShare.ReadWrite);
        stream.Lock(5, 10);
        Assert.Contains("POSIX WRITE 5 14", KernelLocks.Of(_path));
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Shared)); // which opened the file, and closed it
        Assert.DoesNotContain("POSIX WRITE 5 14", KernelLocks.Of(_path));
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Shared);
        Assert.NotNull(held);
    }

    [Fact]
    public void A_lock_of_FileStream_sees_ours()
    {
        using FileStream stream = OpenStream(FileShare.ReadWrite);
        using (FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(5, 10)))
        {
            Assert.Throws<IOException>(() => stream.Lock(14, 1));
            stream.Lock(15, 1);
        }

        stream.Lock(14, 1);
    }

    [Fact]
    public void Any_close_of_the_file_loses_a_lock_of_FileStream_and_never_ours()
    {
        using FileStream stream = OpenStream(FileShare.ReadWrite);
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(0, 5));
        stream.Lock(5, 10);
        Assert.Contains("POSIX WRITE 5 14", KernelLocks.Of(_path));
        _ = File.ReadAllText(_path);
        Assert.DoesNotContain("POSIX WRITE 5 14", KernelLocks.Of(_path));
        Assert.Contains("OFDLCK WRITE 0 4", KernelLocks.Of(_path));
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Shared));
    }

    [Fact]
    public void The_kind_that_FileShare_and_flock_use_does_not_see_ours_nor_ours_it()
    {
        using (FileStream stream = OpenStream(FileShare.None))
        {
            Assert.Equal(["FLOCK WRITE 0 EOF"], KernelLocks.Of(_path)); // or the rest shows nothing
            Assert.Null(FileLock.FindConflict(_path, FileLockKind.Exclusive));
            Assert.NotNull(Taken(FileLockKind.Exclusive, FileRange.Whole));
        }

        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        using FileStream opened = OpenStream(FileShare.None);
        Assert.Equal(["FLOCK WRITE 0 EOF", "OFDLCK WRITE 0 EOF"], KernelLocks.Of(_path));
    }

    [Fact]
    public void Reading_writing_and_renaming_need_no_lock()
    {
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        File.AppendAllText(_path, ", more");
        Assert.Equal("some bytes to lock, more", File.ReadAllText(_path));
        File.Move(_path, _path + ".renamed");
        Assert.Equal(["OFDLCK WRITE 0 EOF"], KernelLocks.Of(_path + ".renamed"));
        File.WriteAllText(_path, "");
        Assert.NotNull(Taken(FileLockKind.Exclusive, FileRange.Whole)); // the name leads to another file now
    }

    [Fact]
    public void The_locks_of_a_channel_are_of_the_same_kind_and_so_lie_in_the_way_of_the_whole_file_only()
    {
        using ShmByteChannel channel = ShmByteChannel.CreateOrOpen("locked", new() { Root = _scratch.Path });
        string region = Directory.GetFiles(_scratch.Path, "*", SearchOption.AllDirectories)
            .First(file => KernelLocks.Of(file).Any(line => line.StartsWith("OFDLCK", StringComparison.Ordinal)));
        FileLockConflict? conflict = FileLock.FindConflict(region, FileLockKind.Exclusive);
        Assert.InRange(conflict!.Value.Range.Offset, (1L << 62) - 4, long.MaxValue);
        Assert.Null(FileLock.FindConflict(region, FileLockKind.Exclusive, new FileRange(0, (1L << 62) - 4)));
    }

    private FileStream OpenStream(FileShare share) => new(_path, FileMode.Open, FileAccess.ReadWrite, share);

    /// <summary>Takes the lock and gives it back.</summary>
    private FileLock? Taken(FileLockKind kind, FileRange range)
    {
        FileLock? taken = FileLock.TryAcquire(_path, kind, range);
        taken?.Dispose();
        return taken;
    }
}
