// Locks on files between processes: exclusion, death, fork, exec, and the POSIX kind, which the kernel knows the process of.

using System.Globalization;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class FileLockTests : IDisposable
{
    private static readonly (string Key, object Value)[] _forkable =
    [
        ("DOTNET_EnableWriteXorExecute", 0), ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0), ("DOTNET_gcServer", 0),
    ];

    private readonly ScratchRoot _scratch = new();
    private readonly string _path;

    public FileLockTests()
    {
        _path = _scratch.FileOf("file");
        File.WriteAllText(_path, "0");
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(FileLockKind.Shared)]
    [InlineData(FileLockKind.Exclusive)]
    public void A_process_keeps_others_out_until_it_is_killed(FileLockKind kind)
    {
        using ChildProcess holder = ChildProcess.StartReady("file-lock-holder", ("file", _path), ("kind", kind));
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Exclusive));
        using (FileLock? reader = FileLock.TryAcquire(_path, FileLockKind.Shared))
        {
            Assert.Equal(kind == FileLockKind.Shared, reader is not null);
        }

        FileLockConflict? conflict = FileLock.FindConflict(_path, FileLockKind.Exclusive);
        Assert.Equal((kind, FileRange.Whole, null), (conflict!.Value.Kind, conflict.Value.Range, conflict.Value.ProcessId));
        holder.Kill();
        using FileLock? now = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        Assert.NotNull(now);
    }

    [Fact]
    public void Shared_locks_of_several_processes_go_together()
    {
        using ChildProcess first = ChildProcess.StartReady("file-lock-holder", ("file", _path), ("kind", FileLockKind.Shared));
        using ChildProcess second = ChildProcess.StartReady("file-lock-holder", ("file", _path), ("kind", FileLockKind.Shared));
        first.Kill();
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Exclusive)); // the second still has its own
        second.Kill();
        using FileLock? now = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        Assert.NotNull(now);
    }

    [Fact]
    public async Task Who_waits_gets_it_from_a_process_that_is_killed()
    {
        using ChildProcess holder = ChildProcess.StartReady("file-lock-holder", ("file", _path), ("kind", FileLockKind.Exclusive));
        Task<FileLock> waiting = FileLock.AcquireAsync(_path, FileLockKind.Exclusive, ChildProcess.Patience);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        holder.Kill();
        (await waiting.WaitAsync(ChildProcess.Patience, TestContext.Current.CancellationToken)).Dispose();
    }

    [Fact]
    public void What_is_done_under_the_lock_is_done_by_one_process_at_a_time()
    {
        const int Rounds = 100;
        using ChildProcess first = ChildProcess.Start("file-lock-counter", ("file", _path), ("rounds", Rounds));
        using ChildProcess second = ChildProcess.Start("file-lock-counter", ("file", _path), ("rounds", Rounds));
        first.Expect("done");
        second.Expect("done");
        Assert.Equal(2 * Rounds, int.Parse(File.ReadAllText(_path), CultureInfo.InvariantCulture));
    }

    [Fact]
    public void A_forked_child_can_do_nothing_to_its_parents_lock()
    {
        using ChildProcess parent = ChildProcess.Start("file-lock-forker", [("file", _path), .. _forkable]);
        Assert.Equal("", string.Join(' ', parent.Expect("child")));
        Assert.Equal(["0"], parent.Expect("parent"));
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Shared, new FileRange(10, 10)));
        Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(0, 10)));
        parent.Kill();
        using FileLock? now = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        Assert.NotNull(now);
    }

    [Fact]
    public void Given_back_it_is_free_though_a_forked_child_still_has_the_descriptor()
    {
        using ChildProcess parent = ChildProcess.Start("file-lock-fork-releaser", [("file", _path), .. _forkable]);
        Assert.Equal(["0"], parent.Expect("parent"));
    }

    [Fact]
    public void A_program_that_the_holder_started_does_not_keep_the_lock()
    {
        using ChildProcess holder = ChildProcess.Start("file-lock-starter", ("file", _path), ("seconds", 300));
        int started = int.Parse(holder.Expect("started")[0], CultureInfo.InvariantCulture);
        try
        {
            Assert.Null(FileLock.TryAcquire(_path, FileLockKind.Shared));
            holder.Kill();
            using FileLock? now = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
            Assert.NotNull(now);
            Assert.Equal("sleep", File.ReadAllText($"/proc/{started}/comm").Trim()); // it is still there
        }
        finally
        {
            Linux.TrySignal(started, Linux.SIGKILL);
        }
    }

    [Fact]
    public void A_lock_of_the_POSIX_kind_in_another_process_is_seen_with_the_process()
    {
        using ChildProcess holder = ChildProcess.StartReady("file-lock-posix", ("file", _path));
        using (FileLock? beside = FileLock.TryAcquire(_path, FileLockKind.Exclusive, new FileRange(15, 5)))
        {
            Assert.NotNull(beside);
        }

        FileLockConflict? conflict = FileLock.FindConflict(_path, FileLockKind.Shared);
        Assert.Equal(
            (FileLockKind.Exclusive, new FileRange(5, 10), holder.Id),
            (conflict!.Value.Kind, conflict.Value.Range, conflict.Value.ProcessId));
        TimeoutException error = Assert.Throws<TimeoutException>(() => FileLock.Acquire(_path, FileLockKind.Shared, TimeSpan.Zero));
        Assert.EndsWith(
            $"In the way is an exclusive lock of bytes 5 to 14 (process {holder.Id} holds it with F_SETLK).", error.Message,
            StringComparison.Ordinal);
        holder.Kill();
        using FileLock? now = FileLock.TryAcquire(_path, FileLockKind.Exclusive);
        Assert.NotNull(now);
    }
}
