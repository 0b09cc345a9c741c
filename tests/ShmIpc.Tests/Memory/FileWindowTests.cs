// A walk through a file in windows: every byte is shown, the overlap as well, and no more is mapped than two windows.

using CsCheck;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class FileWindowTests : IDisposable
{
    private static readonly int _page = Environment.SystemPageSize;

    private readonly ScratchDirectory _scratch = new();

    private string FilePath => Path.Combine(_scratch.Path, "file");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Each_match_is_found_exactly_once_with_an_overlap_of_one_less() =>
        Gen.Select(Gen.Int[1, 5 * _page], Gen.Int[1, 3], Gen.Int[2, 300], Gen.Int[0, 5 * _page].Array[0, 8]).Sample(
            (lengthBytes, windowPages, patternBytes, places) =>
            {
                var bytes = new byte[lengthBytes];
                var pattern = Enumerable.Range(0, patternBytes).Select(i => (byte)(1 + i % 2)).ToArray();
                pattern[^1] = 3; // no two matches overlap
                int[] marks = [.. places, _page - 1, 3 * _page - patternBytes + 1];
                foreach (var place in marks.Where(place => place + patternBytes <= lengthBytes)) pattern.CopyTo(bytes, place);
                File.WriteAllBytes(FilePath, bytes);

                var found = new List<long>();
                foreach (var window in FileWindow.Walk(FilePath, windowPages * _page, patternBytes - 1))
                {
                    foreach (var match in window.Mapping.Matches(pattern)) found.Add(window.Offset + match);
                }

                var expected = new List<long>();
                for (var at = 0; (at = IndexOf(bytes, pattern, at)) >= 0; at += patternBytes) expected.Add(at);
                Assert.Equal(expected, found);
            },
            iter: 200,
            threads: 1);

    [Fact]
    public void Windows_lie_side_by_side_and_two_are_mapped_at_a_time()
    {
        File.WriteAllBytes(FilePath, new byte[10 * _page + 5]);
        long next = 0;
        var isLast = false;
        foreach (var window in FileWindow.Walk(FilePath, 2 * _page, 100))
        {
            Assert.Equal(next, window.Offset);
            Assert.Equal(Math.Min(2 * _page + 100, 10 * _page + 5 - next), window.LengthBytes);
            Assert.Equal("r--s", ProcMaps.PermissionsAt(window.Mapping.Whole.Start));
            Assert.InRange(MappingsOfFile(), 1, 2);
            Assert.Contains("sr", ProcMaps.FlagsAt(window.Mapping.Whole.Start)); // advised: sequential
            Assert.False(isLast);
            isLast = window.IsLast;
            next += 2 * _page;
        }

        Assert.True(isLast);
        Assert.Equal(12 * _page, next);
        Assert.Equal(0, MappingsOfFile());
    }

    [Fact]
    public void A_walk_that_is_left_early_leaves_nothing_but_open_views()
    {
        File.WriteAllBytes(FilePath, new byte[10 * _page]);
        foreach (var window in FileWindow.Walk(FilePath, _page))
        {
            if (window.Offset == 3 * _page) break;
        }

        Assert.Equal(0, MappingsOfFile());
        Assert.DoesNotContain(Directory.GetFiles("/proc/self/fd"), link => new FileInfo(link).LinkTarget == FilePath);
    }

    [Fact]
    public void Windows_can_be_written()
    {
        File.WriteAllBytes(FilePath, new byte[3 * _page]);
        foreach (var window in FileWindow.Walk(FilePath, _page, options: new MemoryMappingOptions()))
        {
            window.Mapping.WriteAt(0, [(byte)(1 + window.Offset / _page)]);
        }

        var bytes = File.ReadAllBytes(FilePath);
        Assert.Equal([1, 2, 3], new[] { bytes[0], bytes[_page], bytes[2 * _page] });
    }

    [Fact]
    public void What_is_no_walk()
    {
        File.WriteAllBytes(FilePath, []);
        Assert.Empty(FileWindow.Walk(FilePath));
        Assert.Throws<ArgumentOutOfRangeException>(() => FileWindow.Walk(FilePath, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => FileWindow.Walk(FilePath, _page + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => FileWindow.Walk(FilePath, _page, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => FileWindow.Walk(FilePath, _page, _page + 1));
        Assert.Throws<ArgumentException>(() => FileWindow.Walk(FilePath, options: new() { Mirrored = true }));
        Assert.Throws<FileNotFoundException>(() => FileWindow.Walk(FilePath + "-not").Count());
        Assert.Throws<ShmException>(() => FileWindow.Walk("/proc/self/status").Count()); // no length, though there are bytes
    }

    [Fact]
    public void A_file_that_becomes_shorter_meanwhile_is_an_exception()
    {
        File.WriteAllBytes(FilePath, new byte[10 * _page]);
        using var walk = FileWindow.Walk(FilePath, _page).GetEnumerator();
        Assert.True(walk.MoveNext()); // maps the next window, too
        using (var file = File.OpenHandle(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) RandomAccess.SetLength(file, _page);
        Assert.Throws<ShmException>(() => walk.MoveNext());
        Assert.Equal(0, MappingsOfFile());
    }

    // No kernel refuses this advice for a file; a mirrored mapping refuses any.
    [Fact]
    public void A_window_that_cannot_be_advised_is_unmapped_again()
    {
        using var file = _scratch.NewFile(_page);
        var mapping = MemoryMapping.MapFile(file, 0, _page, new() { Mirrored = true });
        Assert.Throws<InvalidOperationException>(() => FileWindow.Take(mapping, 0, isLast: true));
        Assert.Throws<ObjectDisposedException>(() => _ = mapping.Whole);
    }

    [Fact]
    public void The_largest_windows_show_all_of_a_file_at_once()
    {
        File.WriteAllBytes(FilePath, new byte[3 * _page]);
        var largest = long.MaxValue & -_page;
        foreach (var overlap in (long[])[0, 1, largest])
        {
            var window = Assert.Single(FileWindow.Walk(FilePath, largest, overlap).Select(one => (one.Offset, one.LengthBytes, one.IsLast)));
            Assert.Equal((0, 3 * _page, true), window);
        }

        Assert.Equal(3, FileWindow.Walk(FilePath, _page, _page).Count());
    }

    private int MappingsOfFile() => File.ReadLines("/proc/self/maps").Count(line => line.EndsWith(FilePath, StringComparison.Ordinal));

    private static int IndexOf(byte[] bytes, byte[] pattern, int start)
    {
        for (var at = start; at <= bytes.Length - pattern.Length; at++)
        {
            if (bytes.AsSpan(at, pattern.Length).SequenceEqual(pattern)) return at;
        }

        return -1;
    }
}
