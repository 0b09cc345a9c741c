// Other lengths: what grows keeps its bytes and its views, what shrinks is refused while anybody looks, and a failure changes nothing.

using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MappedFileResizeTests : IDisposable
{
    private const int F_SEAL_FUTURE_WRITE = 0x10; // linux/fcntl.h

    private static readonly int _page = Environment.SystemPageSize;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly ScratchDirectory _scratch = new();

    private string FilePath => Path.Combine(_scratch.Path, "file");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Growth_keeps_the_contents_and_what_callbacks_have()
    {
        using var file = MappedFile.Create(FilePath, 0);
        file.Resize(5);
        file.WriteAt(0, "first"u8);
        var old = file.Mapping!;
        var start = old.Whole.Start;
        var line = ProcMaps.LineAt(start);
        file.Write(0, 5, bytes =>
        {
            file.Resize(3 * _page);
            Assert.NotSame(old, file.Mapping);
            Assert.Equal(3 * _page, new FileInfo(FilePath).Length);
            Assert.Equal("first"u8, bytes);
            bytes[0] = (byte)'F';                                           // through the old mapping
            Assert.Equal(0, file.IndexOf("First"u8));                       // and seen through the new one
            file.WriteAt(4, "T second"u8);
            Assert.Equal("FirsT"u8, bytes);
            Assert.Equal(line, ProcMaps.LineAt(start));
            Assert.Throws<ObjectDisposedException>(() => old.WriteAt(0, [1]));
        });

        Assert.NotEqual(line, ProcMaps.LineAt(start));              // the old mapping went with the callback
        Assert.Equal(3 * _page - 12, file.Count("\0"u8));
        Assert.StartsWith("FirsT second\0", File.ReadAllText(FilePath), StringComparison.Ordinal);
    }

    [Fact]
    public void Shrinking_is_refused_while_a_callback_or_a_search_runs()
    {
        using var file = MappedFile.Create(FilePath, 3 * _page);
        file.WriteAt(0, "kept"u8);
        var mapping = file.Mapping;
        file.Read(2 * _page, 10, bytes =>
        {
            var error = Assert.Throws<InvalidOperationException>(() => file.Resize(_page));
            Assert.Contains("A callback or a search", error.Message, StringComparison.Ordinal);
            Assert.Equal(0, bytes[0]);
        });

        foreach (var match in file.Matches("kept"u8)) // a search looks at all of it, too
        {
            Assert.Throws<InvalidOperationException>(() => file.Resize(match));
        }

        Assert.Same(mapping, file.Mapping);
        Assert.Equal(3 * _page, new FileInfo(FilePath).Length);

        file.Resize(4);
        Assert.Equal("kept", File.ReadAllText(FilePath));
        Assert.Equal((0, -1, 4), (file.IndexOf("kept"u8), file.IndexOf("\0"u8), file.LengthBytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadAt(4, new byte[1]));
        file.Resize(0);
        Assert.Null(file.Mapping);
        Assert.Equal(0, new FileInfo(FilePath).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Resize(-1));
    }

    [Fact]
    public void Shrinking_is_refused_while_an_older_or_another_mapping_shows_the_end()
    {
        using var file = MappedFile.Create(FilePath, 2 * _page);
        file.Write(_page, _page, bytes =>
        {
            file.Resize(4 * _page);
            var error = Assert.Throws<InvalidOperationException>(() => file.Resize(_page));
            Assert.Contains("1 other mapping(s)", error.Message, StringComparison.Ordinal);
            bytes[^1] = 1;
            file.Resize(2 * _page); // what the callback has stays
            bytes[^1] = 2;
        });

        using (var other = MappedFile.Open(FilePath, new() { Access = MemoryAccess.ReadOnly }))
        {
            Assert.Throws<InvalidOperationException>(() => file.Resize(_page));
            Assert.Equal(2, other.Mapping!.Read<byte>(2 * _page - 1));
        }

        file.Resize(_page);
        Assert.Equal(_page, new FileInfo(FilePath).Length);
    }

    // To take the space of a long file may take long.
    [Fact]
    public void Nobody_waits_for_the_length_of_another_file()
    {
        using var one = _scratch.NewFile(_page);
        using var again = LinuxFile.Reopen(one);
        Assert.True(MemoryMapping.LengthLockOf(one) == MemoryMapping.LengthLockOf(again));
        List<SafeFileHandle> others = [_scratch.NewFile(_page)];
        while (MemoryMapping.LengthLockOf(others[^1]) == MemoryMapping.LengthLockOf(one) && others.Count < 16)
        {
            others.Add(_scratch.NewFile(_page));
        }

        lock (MemoryMapping.LengthLockOf(one))
        {
            Thread thread = new(() => MemoryMapping.MapFile(others[^1], 0, _page).Dispose()) { IsBackground = true };
            thread.Start();
            Assert.True(thread.Join(TimeSpan.FromSeconds(60)));
        }

        others.ForEach(other => other.Dispose());
    }

    [Fact]
    public void A_length_that_somebody_else_changed_is_said_and_then_mapped()
    {
        using var file = MappedFile.Create(FilePath, 10);
        using (var reader = MappedFile.Open(FilePath, new() { Access = MemoryAccess.ReadOnly }))
        {
            File.AppendAllText(FilePath, "appended");
            Assert.Equal(-1, reader.IndexOf("appended"u8));
            reader.Refresh();
            Assert.Equal(10, reader.IndexOf("appended"u8));
        }

        foreach (var length in (long[])[0, 5, 10, 18, 100]) Assert.Throws<ShmException>(() => file.Resize(length));
        Assert.Equal((10, 18), (file.LengthBytes, new FileInfo(FilePath).Length));
        file.Refresh();
        Assert.Equal(10, file.IndexOf("appended"u8));
        file.Resize(14);
        Assert.EndsWith("appe", File.ReadAllText(FilePath), StringComparison.Ordinal);
        File.WriteAllText(FilePath, "");
        file.Refresh();
        Assert.Null(file.Mapping);
    }

    [Fact]
    public void Files_that_may_not_change_their_length()
    {
        File.WriteAllText(FilePath, "text");
        using var reader = MappedFile.Open(FilePath, new() { Access = MemoryAccess.ReadOnly });
        Assert.Throws<UnauthorizedAccessException>(() => reader.Resize(9));
        using var copy = MappedFile.Open(FilePath, new() { Sharing = MappingSharing.Private });
        copy.WriteAt(0, "TEXT"u8);
        Assert.Throws<InvalidOperationException>(() => copy.Resize(9));
        Assert.Throws<InvalidOperationException>(() => copy.Refresh());
        Assert.Throws<InvalidOperationException>(() => copy.Flush());
        Assert.Equal(0, copy.IndexOf("TEXT"u8));
        Assert.Equal("text", File.ReadAllText(FilePath));
    }

    [Fact]
    public void A_full_file_system_is_an_exception_and_changes_nothing()
    {
        using var disk = new SmallTmpfs();
        var path = Path.Combine(disk.Path, "file");
        Assert.Throws<ShmNoSpaceException>(() => MappedFile.Create(path, 2 * SmallTmpfs.SizeBytes));
        Assert.False(File.Exists(path));

        using var file = MappedFile.Create(path, SmallTmpfs.SizeBytes / 2);
        file.WriteAt(0, "kept"u8);
        var mapping = file.Mapping;
        var error = Assert.Throws<ShmNoSpaceException>(() => file.Resize(SmallTmpfs.SizeBytes + _page));
        Assert.True(error.AvailableBytes <= SmallTmpfs.SizeBytes / 2, $"{error.AvailableBytes} bytes free");
        Assert.Same(mapping, file.Mapping);
        Assert.Equal(SmallTmpfs.SizeBytes / 2, new FileInfo(path).Length);
        file.Resize(SmallTmpfs.SizeBytes / 2 + _page);
        Assert.Equal(0, file.IndexOf("kept"u8));
    }

    // Seals make the kernel refuse the second half of each: the mapping of a file that is longer already, the cut of one that is unmapped.
    [Fact]
    public void A_failure_half_way_changes_nothing()
    {
        using var memfd = MappingSources.NewMemfd();
        LinuxFile.SetLength(memfd, 2 * _page);
        var number = (int)memfd.DangerousGetHandle();
        using var file = MappedFile.Open($"/proc/self/fd/{number}");
        file.WriteAt(_page, "kept"u8);

        Assert.Equal(0, LibC.fcntl(number, LibC.F_ADD_SEALS, LibC.F_SEAL_SHRINK));
        Assert.Throws<UnauthorizedAccessException>(() => file.Resize(_page));
        Assert.Equal((2 * _page, _page), (file.LengthBytes, file.IndexOf("kept"u8)));
        file.WriteAt(0, "still writable"u8);
        Assert.Equal(2 * _page, LinuxFile.Status(memfd).SizeBytes);
    }

    [Fact]
    public void A_longer_file_that_cannot_be_mapped_is_cut_back()
    {
        using var memfd = MappingSources.NewMemfd();
        LinuxFile.SetLength(memfd, _page);
        var number = (int)memfd.DangerousGetHandle();
        using var file = MappedFile.Open($"/proc/self/fd/{number}");
        file.WriteAt(0, "kept"u8);
        var isSealed = LibC.fcntl(number, LibC.F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0;
        Assert.SkipUnless(isSealed, "This kernel has no F_SEAL_FUTURE_WRITE (Linux 5.1).");
        Assert.Throws<UnauthorizedAccessException>(() => file.Resize(5 * _page));
        Assert.Equal((_page, _page), (file.LengthBytes, LinuxFile.Status(memfd).SizeBytes));
        file.WriteAt(0, "KEPT"u8);
        Assert.Equal(0, file.IndexOf("KEPT"u8));
    }

    // One thread shortens the file and lengthens it again, others map it and touch its end: each finds it there, or is refused.
    [Fact]
    public void Shortening_and_mapping_race_without_a_fault()
    {
        using var file = MappedFile.Create(FilePath, 1);
        using var done = new CancellationTokenSource();
        var touched = 0;
        var mapping = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            while (!done.IsCancellationRequested)
            {
                try
                {
                    using var other = MemoryMapping.MapFile(FilePath, new() { Access = MemoryAccess.ReadOnly });
                    for (var i = 0; i < 5000; i++) Assert.Equal(0, other.Read<byte>(other.LengthBytes - 1)); // until the file may be shorter
                    Interlocked.Increment(ref touched);
                }
                catch (ShmException)
                {
                }
            }
        })).ToArray();
        foreach (var thread in mapping) thread.Start();
        var shortened = 0;
        try
        {
            // A thread may get no processor for a while: until each has come to it often enough.
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < _patience && (shortened < 50 || Volatile.Read(ref touched) < 50);)
            {
                file.Resize(4 * _page);
                try
                {
                    file.Resize(1);
                    shortened++;
                }
                catch (InvalidOperationException)
                {
                }
            }
        }
        finally
        {
            done.Cancel();
        }

        Assert.All(mapping, thread => Assert.True(thread.Join(_patience)));
        Assert.True(shortened > 0 && touched > 0, $"shortened {shortened} times, touched {touched} times");
    }

    // One thread appends, others search: each finds what was there when it began, and nobody touches what is gone.
    [Fact]
    public async Task Searches_and_growth_at_once()
    {
        using var file = MappedFile.Create(FilePath, 0);
        using var done = new ManualResetEventSlim();
        var searching = Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
            () =>
            {
                long seen = 0;
                while (!done.IsSet)
                {
                    var count = file.Count("record\n"u8);
                    Assert.True(count >= seen);
                    seen = count;
                    foreach (var line in file.LinesWith("cor"u8)) Assert.Equal(6, line.LengthBytes);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                file.Resize(file.LengthBytes + 7);
                file.WriteAt(file.LengthBytes - 7, "record\n"u8);
            }
        }
        finally
        {
            done.Set();
        }

        await Task.WhenAll(searching).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(300, file.Count("record\n"u8));
    }
}
