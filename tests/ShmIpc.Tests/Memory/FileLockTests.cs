// Who keeps out whom, within one process; other processes are in ShmIpc.ProcessTests.

using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Memory;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class FileLockTests : IDisposable
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(30);

    private readonly ScratchRoot _scratch = new();
    private readonly string _path;

    public FileLockTests()
    {
        _path = _scratch.FileOf("file");
        File.WriteAllText(_path, "some bytes to lock");
    }

    public static TheoryData<FileLockKind, FileLockKind, bool> Kinds => new()
    {
        { FileLockKind.Shared, FileLockKind.Shared, true },
        { FileLockKind.Shared, FileLockKind.Exclusive, false },
        { FileLockKind.Exclusive, FileLockKind.Shared, false },
        { FileLockKind.Exclusive, FileLockKind.Exclusive, false },
    };

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Only_shared_locks_go_together(FileLockKind first, FileLockKind second, bool together)
    {
        using (FileLock? held = FileLock.TryAcquire(_path, first))
        {
            Assert.NotNull(held);
            Assert.Equal(first, held.Kind);
            Assert.Equal([$"OFDLCK {(first == FileLockKind.Shared ? "READ" : "WRITE")} 0 EOF"], KernelLocks.Of(_path));
            using FileLock? other = FileLock.TryAcquire(_path, second);
            Assert.Equal(together, other is not null);
            Assert.Equal(together ? 2 : 1, KernelLocks.Of(_path).Length);
        }

        Assert.Empty(KernelLocks.Of(_path));
        using FileLock? now = FileLock.TryAcquire(_path, second);
        Assert.NotNull(now);
    }

    [Fact]
    public void It_is_so_on_a_disk_too()
    {
        using DiskRoot disk = new();
        string path = disk.FileOf("file");
        File.WriteAllBytes(path, []);
        using FileLock? held = FileLock.TryAcquire(path, FileLockKind.Exclusive, new FileRange(5, 10));
        Assert.Equal(["OFDLCK WRITE 5 14"], KernelLocks.Of(path));
        Assert.Null(FileLock.TryAcquire(path, FileLockKind.Shared));
    }

    [Theory]
    [InlineData(0, 10L, true)] // touches
    [InlineData(0, 11L, false)] // overlaps by a byte
    [InlineData(10, 10L, false)]
    [InlineData(12, 3L, false)]
    [InlineData(0, 100L, false)]
    [InlineData(19, 1L, false)]
    [InlineData(20, 1L, true)]
    [InlineData(20, null, true)] // to the end, wherever that is
    [InlineData(19, null, false)]
    [InlineData(0, null, false)]
    [InlineData(1L << 40, 1L, true)] // the file is far shorter
    public void Ranges_exclude_each_other_where_they_overlap(long offset, long? lengthBytes, bool together)
    {
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(10, 10));
        FileRange range = lengthBytes is long length ? new FileRange(offset, length) : FileRange.From(offset);
        using FileLock? other = FileLock.TryAcquire(_path, FileLockKind.Exclusive, range);
        Assert.Equal(together, other is not null);
        Assert.Equal(together, other?.Range == range);
        if (!together)
        {
            FileLockConflict? conflict = FileLock.FindConflict(_path, FileLockKind.Exclusive, range);
            Assert.Equal(new FileRange(10, 10), conflict!.Value.Range);
        }
    }

    [Fact]
    public void The_whole_file_is_also_what_it_grows_by()
    {
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        File.AppendAllText(_path, new string('x', 10_000));
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(9_000, 1)));
    }

    [Fact]
    public void Neighbours_are_given_back_each_by_itself()
    {
        using FileLock? second = FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(10, 10));
        using (FileLock? first = FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(0, 10)))
        {
            Assert.Equal(["OFDLCK WRITE 0 9", "OFDLCK WRITE 10 19"], KernelLocks.Of(_path));
        }

        Assert.Equal(["OFDLCK WRITE 10 19"], KernelLocks.Of(_path));
    }

    [Fact]
    public void A_lock_by_handle_keeps_out_the_same_handle_and_outlives_it()
    {
        FileStream stream = new(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using FileLock? held = FileLock.TryAcquire(stream.SafeFileHandle, FileLockKind.Exclusive);
        Assert.NotNull(held);
        Assert.Null(FileLock.TryAcquire(stream.SafeFileHandle, FileLockKind.Shared));
        Assert.NotNull(FileLock.FindConflict(stream.SafeFileHandle, FileLockKind.Shared));
        stream.Dispose();
        Assert.Contains("OFDLCK WRITE 0 EOF", KernelLocks.Of(_path));
    }

    [Fact]
    public void A_file_that_has_lost_its_name_can_be_locked_by_handle()
    {
        using FileStream stream = new(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        File.Delete(_path);
        using FileLock? held = FileLock.TryAcquire(stream.SafeFileHandle, FileLockKind.Exclusive);
        Assert.NotNull(held);
        Assert.Null(FileLock.TryAcquire(stream.SafeFileHandle, FileLockKind.Exclusive));
    }

    [Fact]
    public void Threads_exclude_each_other()
    {
        int inside = 0;
        int entered = 0;
        Concurrently.Run(4, _long, _ =>
        {
            for (int round = 0; round < 50; round++)
            {
                using FileLock held = FileLock.Acquire(_path, FileLockKind.Exclusive, _long);
                Assert.Equal(1, ++inside); // not atomic: the lock is all that keeps the others out
                entered++;
                Thread.Yield();
                inside--;
            }
        });
        Assert.Equal(200, entered);
    }

    [Fact]
    public async Task Who_waits_has_it_when_it_is_given_back()
    {
        FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        Task<FileLock> thread = OwnThread.Run(() => FileLock.Acquire(_path, FileLockKind.Shared, _long));
        Task<FileLock> awaiting = FileLock.AcquireAsync(_path, FileLockKind.Shared, Timeout.InfiniteTimeSpan);
        await Task.Delay(_short, TestContext.Current.CancellationToken);
        Assert.False(thread.IsCompleted);
        Assert.False(awaiting.IsCompleted);
        held!.Dispose();
        using FileLock first = await thread.WaitAsync(_long, TestContext.Current.CancellationToken);
        using FileLock second = await awaiting.WaitAsync(_long, TestContext.Current.CancellationToken);
        Assert.Equal(["OFDLCK READ 0 EOF", "OFDLCK READ 0 EOF"], KernelLocks.Of(_path));
    }

    [Fact]
    public async Task An_open_file_is_locked_too_and_its_handle_stays_open()
    {
        using SafeFileHandle file = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using (FileLock taken = await FileLock.AcquireAsync(file, FileLockKind.Exclusive, _long, new FileRange(3, 4)))
            Assert.Contains("OFDLCK WRITE 3 6", KernelLocks.Of(_path)); // beside the runtime's own, for FileShare
        Assert.DoesNotContain("OFDLCK WRITE 3 6", KernelLocks.Of(_path));
        Assert.False(file.IsClosed);
    }

    [Fact]
    public async Task A_wait_that_is_too_long_ends_and_says_what_is_in_the_way()
    {
        using (FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Shared, new FileRange(3, 4)))
        {
            string expected = $"The exclusive lock of byte 5 of \"{_path}\" was not free within {_short}. In the way is a shared lock of "
                + "bytes 3 to 6 (the kernel does not say whose, but `lslocks` may).";
            TimeoutException error = Assert.Throws<TimeoutException>(
                () => FileLock.Acquire(_path, FileLockKind.Exclusive, _short, new FileRange(5, 1)));
            Assert.Equal(expected, error.Message);
            error = await Assert.ThrowsAsync<TimeoutException>(
                () => FileLock.AcquireAsync(_path, FileLockKind.Exclusive, _short, new FileRange(5, 1)));
            Assert.Equal(expected, error.Message);
            Assert.Throws<TimeoutException>(() => FileLock.Acquire(_path, FileLockKind.Exclusive, TimeSpan.Zero));
            Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Exclusive));
        }

        Assert.Empty(OpenFiles.Of(_path));
        using FileLock now = FileLock.Acquire(_path, FileLockKind.Exclusive, TimeSpan.Zero);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using (FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive))
        using (CancellationTokenSource source = new())
        {
            Task thread = OwnThread.Run(() => FileLock.Acquire(_path, FileLockKind.Shared, _long, cancellationToken: source.Token));
            Task<FileLock> awaiting = FileLock.AcquireAsync(_path, FileLockKind.Shared, _long, cancellationToken: source.Token);
            source.CancelAfter(_short);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => thread);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => awaiting);
        }

        Assert.Empty(OpenFiles.Of(_path));
        Assert.Empty(KernelLocks.Of(_path));
    }

    [Fact]
    public void Cancelled_before_it_began_it_takes_nothing()
    {
        CancellationToken cancelled = new(canceled: true);
        Assert.Throws<OperationCanceledException>(
            () => FileLock.Acquire(_path, FileLockKind.Shared, _long, cancellationToken: cancelled));
        Assert.Empty(KernelLocks.Of(_path));
    }

    [Fact]
    public void Given_back_twice_it_is_given_back_once()
    {
        FileLock? first = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        first!.Dispose();
        using FileLock? second = FileLock.TryAcquire(_path, FileLockKind.Exclusive); // most likely the same descriptor number
        first.Dispose();
        Assert.Equal(["OFDLCK WRITE 0 EOF"], KernelLocks.Of(_path));
        Assert.Throws<ObjectDisposedException>(() => first.TryUpgrade());
        Assert.Throws<ObjectDisposedException>(first.Downgrade);
    }

    [Fact]
    public void Given_back_it_is_free_though_somebody_still_has_a_copy_of_the_descriptor()
    {
        FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        // A forked child has such a copy, also the one that Process.Start makes for a moment.
        int copy = LibC.fcntl(Assert.Single(OpenFiles.Of(_path)), LibC.F_DUPFD_CLOEXEC, 0);
        Assert.True(copy > 0);
        held!.Dispose();
        Assert.Empty(KernelLocks.Of(_path));
        Assert.Equal(0, LibC.close(copy));
    }

    [Fact]
    public void A_program_that_is_started_does_not_get_it()
    {
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        Assert.Equal(LibC.FD_CLOEXEC, LibC.fcntl(Assert.Single(OpenFiles.Of(_path)), LibC.F_GETFD));
    }

    [Fact]
    public void A_forgotten_lock_is_let_go_by_the_collector()
    {
        Forget(_path);
        // A process that another test starts has a copy of the descriptor for a moment.
        for (long start = Stopwatch.GetTimestamp(); KernelLocks.Of(_path).Length > 0 && Stopwatch.GetElapsedTime(start) < _long;)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Empty(KernelLocks.Of(_path));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget(string path)
        {
            FileLock? held = FileLock.TryAcquire(path, FileLockKind.Exclusive);
            Assert.Single(KernelLocks.Of(path));
            GC.KeepAlive(held);
        }
    }

    [Fact]
    public void A_shared_lock_becomes_exclusive_when_it_is_the_only_one_and_stays_shared_otherwise()
    {
        using FileStream stream = new(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using FileLock? held = FileLock.TryAcquire(stream.SafeFileHandle, FileLockKind.Shared);
        using (FileLock? other = FileLock.TryAcquire(_path, FileLockKind.Shared))
        {
            Assert.False(held!.TryUpgrade());
            Assert.Equal(FileLockKind.Shared, held.Kind);
            Assert.Equal(2, KernelLocks.Of(_path).Count(line => line == "OFDLCK READ 0 EOF"));
        }

        Assert.True(held.TryUpgrade());
        Assert.Equal(FileLockKind.Exclusive, held.Kind);
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Shared));
        Assert.True(held.TryUpgrade());

        held.Downgrade();
        Assert.Equal(FileLockKind.Shared, held.Kind);
        using FileLock? reader = FileLock.TryAcquire(_path, FileLockKind.Shared);
        Assert.NotNull(reader);
        held.Downgrade();
        Assert.Equal(2, KernelLocks.Of(_path).Count(line => line == "OFDLCK READ 0 EOF"));
    }

    [Fact]
    public void Nothing_is_found_in_the_way_where_nothing_is_and_asking_takes_nothing()
    {
        Assert.Null(FileLock.FindConflict(_path, FileLockKind.Exclusive));
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Shared, FileRange.From(100));
        Assert.Null(FileLock.FindConflict(_path, FileLockKind.Shared));
        Assert.Null(FileLock.FindConflict(_path, FileLockKind.Exclusive, new FileRange(0, 100)));
        FileLockConflict? conflict = FileLock.FindConflict(_path, FileLockKind.Exclusive);
        Assert.Equal(FileLockKind.Shared, conflict!.Value.Kind);
        Assert.Equal(FileRange.From(100), conflict.Value.Range);
        Assert.Null(conflict.Value.ProcessId);
        Assert.Equal(["OFDLCK READ 100 EOF"], KernelLocks.Of(_path));
    }

    [Fact]
    public void Ranges_in_words()
    {
        Assert.Equal("all bytes", FileRange.Whole.ToString());
        Assert.Equal("all bytes from 7 on", FileRange.From(7).ToString());
        Assert.Equal("byte 7", new FileRange(7, 1).ToString());
        Assert.Equal("bytes 7 to 9", new FileRange(7, 3).ToString());
        Assert.Equal(FileRange.Whole, FileRange.From(0));
        Assert.Null(FileRange.Whole.LengthBytes);
        Assert.Equal(3, new FileRange(7, 3).LengthBytes);
        using FileLock? held = FileLock.TryAcquire(_path, FileLockKind.Shared, new FileRange(7, 3));
        Assert.Equal("shared lock of bytes 7 to 9", held!.ToString());
    }
}
