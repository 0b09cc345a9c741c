// A file and its mapping as one: opened, made, searched and edited. Other lengths are in MappedFileResizeTests.

using System.Text;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MappedFileTests : IDisposable
{
    private static readonly MemoryMappingOptions _readOnly = new() { Access = MemoryAccess.ReadOnly };

    private readonly ScratchDirectory _scratch = new();

    private string FilePath => Path.Combine(_scratch.Path, "file");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void An_edit_in_place_is_in_the_file()
    {
        File.WriteAllText(FilePath, "The quick brown fox");
        using var file = MappedFile.Open(FilePath);
        Assert.Equal(19, file.LengthBytes);
        var at = file.IndexOf("quick"u8);
        file.WriteAt(at, "QUICK"u8);
        file.Write(file.LastIndexOf("f"u8), 3, bytes => "cat"u8.CopyTo(bytes));
        file.Write(0, 3, "Any"u8, static (bytes, word) => word.CopyTo(bytes));
        file.Flush();
        Assert.Equal("Any QUICK brown cat", File.ReadAllText(FilePath));
        var word = new byte[5];
        file.ReadAt(at, word);
        Assert.Equal("QUICK"u8, word);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.WriteAt(15, "12345"u8));
    }

    [Fact]
    public void A_file_is_searched()
    {
        File.WriteAllText(FilePath, "one\ntwo\nthree two\nfour");
        using var file = MappedFile.Open(FilePath, _readOnly);
        Assert.Equal((4, 14, 2), (file.IndexOf("two"u8), file.LastIndexOf("two"u8), file.Count("two"u8)));
        Assert.Equal(1, file.Count("\n"u8, 0, 7));
        var matches = new List<long>();
        foreach (var match in file.Matches("two"u8, 5)) matches.Add(match);
        Assert.Equal([14L], matches);
        var lines = new List<LineRange>();
        foreach (var line in file.LinesWith("o"u8)) lines.Add(line);
        Assert.Equal([new(0, 3), new(4, 3), new(8, 9), new(18, 4)], lines);
    }

    [Fact]
    public void An_empty_file_has_no_mapping_and_nothing_is_found_in_it()
    {
        using var file = MappedFile.Create(FilePath, 0);
        Assert.Equal(0, file.LengthBytes);
        Assert.Null(file.Mapping);
        Assert.Equal((-1, -1, 0), (file.IndexOf("a"u8), file.LastIndexOf("a"u8), file.Count("a"u8)));
        foreach (var match in file.Matches("a"u8)) Assert.Fail($"found at {match}");
        foreach (var line in file.LinesWith("a"u8)) Assert.Fail($"found {line}");
        Assert.Equal(7, file.Read(0, 0, 7, static (bytes, state) => bytes.Length + state));
        file.Write(0, 0, bytes => bytes.Clear());
        file.WriteAt(0, []);
        file.Flush();
        Assert.Throws<ArgumentException>(() => file.IndexOf([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.IndexOf("a"u8, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.WriteAt(0, "a"u8));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadAt(1, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(0, 1, bytes => bytes.Length));
    }

    [Fact]
    public void A_new_file_never_replaces_another()
    {
        using (var file = MappedFile.Create(FilePath, 10_000))
        {
            Assert.Equal("rw-s", ProcMaps.PermissionsAt(file.Mapping!.Whole.Start));
            file.WriteAt(9_999, [7]);
        }

        Assert.Equal(7, File.ReadAllBytes(FilePath)[9_999]);
        Assert.Throws<IOException>(() => MappedFile.Create(FilePath, 1));
        Assert.Equal(10_000, new FileInfo(FilePath).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => MappedFile.Create(FilePath + "2", -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => MappedFile.Create(FilePath + "2", 1L << 60));
        Assert.False(File.Exists(FilePath + "2"));
    }

    [Fact]
    public void What_cannot_be_opened()
    {
        File.WriteAllText(FilePath, "text");
        Assert.Throws<FileNotFoundException>(() => MappedFile.Open(FilePath + "-not"));
        Assert.Throws<ArgumentException>(() => MappedFile.Open(_scratch.Path, _readOnly));
        Assert.Throws<ArgumentException>(() => MappedFile.Open("/dev/null", _readOnly));
        Assert.Throws<ArgumentException>(() => MappedFile.Open(FilePath, new() { Mirrored = true }));
        Assert.Throws<ArgumentException>(() => MappedFile.Open(FilePath, new() { Address = 1 << 30, AddressIsRequired = true }));
        var error = Assert.Throws<ShmException>(() => MappedFile.Open("/proc/self/status", _readOnly));
        Assert.Contains("made up", error.Message, StringComparison.Ordinal);

        using var file = MappedFile.Open(FilePath, _readOnly);
        Assert.Throws<InvalidOperationException>(() => file.WriteAt(0, [1]));
        Assert.Throws<InvalidOperationException>(() => file.Write(0, 1, bytes => bytes.Clear()));
    }

    [Fact]
    public void Dispose_ends_everything_but_what_callbacks_have()
    {
        File.WriteAllText(FilePath, "text");
        var file = MappedFile.Open(FilePath);
        var start = file.Mapping!.Whole.Start;
        var line = ProcMaps.LineAt(start);
        file.Read(0, 4, bytes =>
        {
            file.Dispose();
            file.Dispose();
            Assert.Equal("text"u8, bytes);
        });

        Assert.NotEqual(line, ProcMaps.LineAt(start));
        Assert.Throws<ObjectDisposedException>(() => file.LengthBytes);
        Assert.Throws<ObjectDisposedException>(() => file.Mapping);
        Assert.Throws<ObjectDisposedException>(() => file.IndexOf("t"u8));
        Assert.Throws<ObjectDisposedException>(() => file.WriteAt(0, [1]));
        Assert.Throws<ObjectDisposedException>(() => file.Read(0, 1, bytes => bytes.Length));
        Assert.Throws<ObjectDisposedException>(() => file.Write(0, 1, bytes => bytes.Clear()));
        Assert.Throws<ObjectDisposedException>(() => file.Flush());
        Assert.Throws<ObjectDisposedException>(() => file.Resize(9));
        Assert.Throws<ObjectDisposedException>(() => file.Refresh());
    }

    [Fact]
    public void A_file_longer_than_any_span_is_searched_to_its_end()
    {
        using var disk = new DiskRoot(); // on a tmpfs, a hole takes memory when it is mapped
        var path = disk.FileOf("sparse");
        long[] places = [(1L << 30) - 3, (1L << 31) - 5, (1L << 31) + 4090];
        using (var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
        {
            LinuxFile.SetLength(handle, (1L << 31) + 4096);
            foreach (var place in places) RandomAccess.Write(handle, "needle"u8, place);
        }

        using var file = MappedFile.Open(path, _readOnly);
        var found = new List<long>();
        foreach (var match in file.Matches("needle"u8)) found.Add(match);
        Assert.Equal(places, found);
        Assert.Equal(places[2], file.LastIndexOf("needle"u8));
        Assert.Equal(places[1], file.IndexOf("needle"u8, places[0] + 1));
        Assert.Equal("needle", file.Read(places[1], 6, Encoding.ASCII.GetString));
    }
}
