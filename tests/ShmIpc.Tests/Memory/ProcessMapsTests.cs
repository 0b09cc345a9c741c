// What ProcessMaps says, against what the test itself did to its own memory, and against made-up files.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.Interop;
using ShmIpc.Memory;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed unsafe class ProcessMapsTests
{
    private static readonly long _page = Environment.SystemPageSize;

    [Fact]
    public void A_file_mapping_is_found_with_everything_that_is_known_of_it()
    {
        using ScratchRoot root = new();
        string path = root.FileOf("mapped file");
        File.WriteAllBytes(path, new byte[4 * _page]);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        using Range range = new(3 * _page, LibC.PROT_READ, LibC.MAP_SHARED, (int)file.DangerousGetHandle(), _page);

        var found = ProcessMaps.Read().Find(range.Start + (nint)_page)!;

        Assert.Equal((range.Start, range.Start + 3 * (nint)_page), (found.Start, found.End));
        Assert.Equal(3 * _page, found.LengthBytes);
        Assert.Equal("r--s", found.Permissions);
        Assert.Equal((true, false, false, true), (found.IsReadable, found.IsWritable, found.IsExecutable, found.IsShared));
        Assert.Equal((_page, path, false), (found.Offset, found.Path, found.IsDeleted));
        var status = LinuxFile.Status(file);
        Assert.Equal((long)status.Inode, found.Inode);
        Assert.Null(found.Sizes);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("two words")]
    [InlineData("a\nb")]
    [InlineData("naïve – 名前")]
    [InlineData("rw-p 00000000 00:00 0 x")]
    public void A_name_comes_as_it_is_and_says_when_it_is_gone(string name)
    {
        using ScratchRoot root = new();
        string path = root.FileOf(name);
        File.WriteAllBytes(path, new byte[_page]);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read);
        using Range range = new(_page, LibC.PROT_READ, LibC.MAP_PRIVATE, (int)file.DangerousGetHandle());
        var before = ProcessMaps.Read().Find(range.Start)!;
        Assert.Equal((path, false), (before.Path, before.IsDeleted));
        File.Delete(path);
        var after = ProcessMaps.Read().Find(range.Start)!;
        Assert.Equal((path, true), (after.Path, after.IsDeleted));
    }

    [Fact]
    public void Addresses_at_the_edges_belong_to_the_right_mapping()
    {
        using Range range = new(3 * _page, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED | LibC.MAP_ANONYMOUS);
        Assert.Equal(0, LibC.munmap((void*)(range.Start + (nint)_page), (size_t)(ulong)_page)); // a hole of which we know, briefly
        var maps = ProcessMaps.Read();
        Assert.Equal(range.Start, maps.Find(range.Start)!.Start);
        Assert.Equal(range.Start, maps.Find(range.Start + (nint)_page - 1)!.Start);
        Assert.Equal(range.Start + 2 * (nint)_page, maps.Find(range.Start + 2 * (nint)_page)!.Start);
        Assert.Null(maps.Find(0));
        Assert.Null(maps.Find(-1));
        Assert.All(maps.Entries, entry => Assert.True(entry.Contains(entry.Start) && !entry.Contains(entry.End)));
        Assert.All(maps.Entries, entry => Assert.Same(entry, maps.Find(entry.Start)));
    }

    [Fact]
    public void What_is_mapped_is_listed_as_the_kernel_lists_it()
    {
        // Other tests map and unmap hundreds of regions at once, now and then.
        (int Same, int All) last = default;
        Assert.True(
            SpinWait.SpinUntil(IsSame, 60_000),
            $"{last.Same} of {last.All} lines are the same, and only what others map meanwhile may differ.");

        bool IsSame()
        {
            var lines = File.ReadAllLines("/proc/self/maps").Select(Squeezed).ToHashSet();
            int same = ProcessMaps.Read().Entries.Count(entry => lines.Contains(Squeezed(entry.ToString())));
            last = (same, lines.Count);
            return same > lines.Count / 2;
        }

        static string Squeezed(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select((word, index) => index == 0 ? string.Join('-', word.Split('-').Select(end => end.TrimStart('0'))) : word));
    }

    [Fact]
    public void Sizes_follow_what_is_done_to_the_pages()
    {
        using Range range = new(8 * _page, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS);
        // alone in its line, and in ordinary pages, wherever it lies
        Assert.Equal(0, LibC.madvise((void*)range.Start, (size_t)(ulong)range.LengthBytes, LibC.MADV_DONTDUMP));
        Assert.Equal(0, LibC.madvise((void*)range.Start, (size_t)(ulong)range.LengthBytes, LibC.MADV_NOHUGEPAGE));
        Assert.Equal(0, Sizes().ResidentBytes);
        for (int i = 0; i < 3; i++) ((byte*)range.Start)[i * _page] = 1;
        var touched = Sizes();
        Assert.Equal(3 * _page, touched.ResidentBytes);
        Assert.Equal(3 * _page, touched.ProportionalBytes);
        Assert.Equal(3 * _page, touched.PrivateDirtyBytes);
        Assert.Equal(3 * _page, touched.AnonymousBytes);
        Assert.Equal((0, 0, 0), (touched.SharedCleanBytes, touched.SharedDirtyBytes, touched.LockedBytes));
        Assert.Equal((0, 0), (touched.AnonymousHugePageBytes, touched.SharedMemoryHugePageBytes));
        Assert.Equal((_page, _page), (touched.KernelPageSizeBytes, touched.ProcessorPageSizeBytes));
        Assert.Contains("dd", touched.VmFlags);
        Assert.DoesNotContain("lo", touched.VmFlags);

        if (LibC.mlock((void*)range.Start, (size_t)(ulong)range.LengthBytes) == 0)
        {
            Assert.Equal(8 * _page, Sizes().LockedBytes);
            Assert.Contains("lo", Sizes().VmFlags);
        }

        ProcessMappingSizes Sizes()
        {
            var all = ProcessMaps.Read(withSizes: true).Find(range.Start)!;
            var one = ProcessMaps.FindOwn(range.Start + (nint)_page)!;
            Assert.Equal((range.Start, range.LengthBytes), (all.Start, all.LengthBytes));
            Assert.Equal((all.Start, all.End, all.Sizes!.ResidentBytes), (one.Start, one.End, one.Sizes!.ResidentBytes));
            Assert.Equal(all.Sizes.VmFlags, one.Sizes.VmFlags);
            return all.Sizes;
        }
    }

    [Fact]
    public void Nothing_is_found_where_nothing_is_mapped()
    {
        Assert.Null(ProcessMaps.FindOwn(0));
        Assert.Null(ProcessMaps.FindOwn(-1));
    }

    [Fact]
    public void Another_process_is_read_by_its_id()
    {
        using var child = Process.Start(new ProcessStartInfo("sleep", ["600"]))!;
        try
        {
            // until it has become what it is to be
            Assert.True(SpinWait.SpinUntil(() => TryPaths(child.Id).Any(path => path.EndsWith("[stack]", StringComparison.Ordinal)), 60_000));
            Assert.True(ProcessMemory.Read(child.Id).AddressSpaceBytes > 0);
            Assert.NotEqual(ProcessMaps.Read(child.Id).Entries[0].Start, ProcessMaps.Read().Entries[0].Start);
            Assert.All(ProcessMaps.Read(child.Id, withSizes: true).Entries, entry => Assert.NotNull(entry.Sizes));
        }
        finally
        {
            child.Kill();
            child.WaitForExit();
        }

        int id = child.Id;
        var error = Assert.Throws<ShmException>(() => ProcessMaps.Read(id));
        Assert.Contains("no such process", error.Message, StringComparison.Ordinal);
        Assert.Contains(id.ToString(CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
        Assert.Throws<ShmException>(() => ProcessMemory.Read(id));

        static IEnumerable<string> TryPaths(int id) => ProcessMaps.Read(id).Entries.Select(entry => entry.Path ?? "");
    }

    [Fact]
    public void The_process_of_another_user_is_refused()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "Root may look into every process.");
        var error = Assert.Throws<UnauthorizedAccessException>(() => ProcessMaps.Read(1));
        Assert.Contains("CAP_SYS_PTRACE", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void An_id_that_no_process_has_is_refused(int id)
    {
        Assert.Throws<ArgumentOutOfRangeException>("processId", () => ProcessMaps.Read(id));
        Assert.Throws<ArgumentOutOfRangeException>("processId", () => ProcessMemory.Read(id));
    }

    [Fact]
    public void Lines_that_nobody_knows_are_passed_over()
    {
        using ScratchRoot root = new();
        string file = root.FileOf("smaps");
        File.WriteAllText(file, """
            Rss:                  12 kB
            00400000-00401000 r-xp 00002000 fe:01 4711                               /bin/x (deleted)
            Size:                  4 kB
            Brand_New:            99 kB
            Rss:                   4 kB
            Pss:                none
            Locked:  99999999999999999999 kB
            VmFlags: rd ex mr
            nonsense
            7f0000000000-7f0000002000 rw-s 00000000 00:01 0
            FutureField: yes
            Rss:                   8 kB
            zz-7f0000009000 rw-p 00000000 00:00 0
            7f0000009000-7f0000009000 rw-p 00000000 00:00 0
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
            """);
        var maps = ProcessMaps.ReadFile(file, withSizes: true);
        Assert.Equal(3, maps.Entries.Count);
        var first = maps.Find(0x400fff)!;
        Assert.Equal((4096, null, null, true), (first.Sizes!.ResidentBytes, first.Sizes.ProportionalBytes, first.Sizes.LockedBytes, first.IsDeleted));
        Assert.Equal(["rd", "ex", "mr"], first.Sizes.VmFlags);
        Assert.Equal((0xfe, 1, 4711, 0x2000, "/bin/x"), (first.DeviceMajor, first.DeviceMinor, first.Inode, first.Offset, first.Path));
        Assert.Null(maps.Entries[1].Path);
        Assert.Equal(8192, maps.Entries[1].Sizes!.ResidentBytes);
        Assert.Equal("[vsyscall]", maps.Find(unchecked((nint)0xffffffffff600800))!.Path);
        Assert.Empty(ProcessMaps.ReadFile("/dev/null", withSizes: true).Entries);
    }

    [Fact]
    public void A_process_that_goes_on_mapping_is_listed_without_overlaps()
    {
        using CancellationTokenSource stop = new();
        using Range kept = new(_page, LibC.PROT_READ, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS);
        Thread mapper = new(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                for (int i = 0; i < 50; i++) new Range((i + 1) * _page, LibC.PROT_READ, LibC.MAP_SHARED | LibC.MAP_ANONYMOUS).Dispose();
            }
        });
        mapper.Start();
        try
        {
            for (int i = 0; i < 50; i++)
            {
                var maps = ProcessMaps.Read(withSizes: i % 10 == 0);
                Assert.NotNull(maps.Find(kept.Start));
                Assert.All(
                    maps.Entries.Zip(maps.Entries.Skip(1)),
                    pair => Assert.True((nuint)pair.First.End <= (nuint)pair.Second.Start, $"{pair.First} overlaps {pair.Second}"));
            }
        }
        finally
        {
            stop.Cancel();
            mapper.Join();
        }
    }

    private sealed class Range : IDisposable
    {
        public Range(long lengthBytes, int protection, int flags, int descriptor = -1, long offset = 0)
        {
            LengthBytes = lengthBytes;
            void* start = LibC.mmap(null, (size_t)(ulong)lengthBytes, protection, flags, descriptor, offset);
            Assert.True(start != LibC.MAP_FAILED, LinuxError.NameOf(LibC.errno));
            Start = (nint)start;
        }

        public nint Start { get; }

        public long LengthBytes { get; }

        public void Dispose() => _ = LibC.munmap((void*)Start, (size_t)(ulong)LengthBytes);
    }
}
