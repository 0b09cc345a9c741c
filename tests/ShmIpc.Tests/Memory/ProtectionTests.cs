// Protect and Writable against the kernel's own list, and against views that are open.

using CsCheck;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class ProtectionTests : IDisposable
{
    private const int Pages = 8;

    private static readonly int _page = Environment.SystemPageSize;
    private static readonly MemoryMappingOptions _private = new() { Sharing = MappingSharing.Private };
    private static readonly MemoryMappingOptions _readOnly = new() { Access = MemoryAccess.ReadOnly };

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Protect_changes_just_the_pages_asked_for()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        mapping.Protect(2 * _page, 3 * _page, MemoryAccess.ReadOnly);
        mapping.Protect(3 * _page, _page, MemoryAccess.None);
        mapping.Protect(7 * _page, _page, MemoryAccess.ReadExecute);
        Assert.Equal(["rw-p", "rw-p", "r--p", "---p", "r--p", "rw-p", "rw-p", "r-xp"], Permissions(mapping));

        mapping.Write(_page, 1);
        Assert.Throws<InvalidOperationException>(() => mapping.Write(2 * _page - 1, (short)1)); // reaches one byte into page 2
        Assert.Throws<InvalidOperationException>(() => mapping.Read<byte>(3 * _page));
        Assert.Equal(0, mapping.Read<byte>(4 * _page));
        Assert.Throws<InvalidOperationException>(() => { using var view = mapping.OpenRead(); });
        Assert.Equal(MemoryAccess.ReadWrite, mapping.Access);
    }

    [Fact]
    public void The_last_page_may_be_part_of_one()
    {
        using var file = _scratch.NewFile(_page + 10);
        using var mapping = MemoryMapping.MapFile(file, 0, _page + 10);
        mapping.Protect(_page, 10, MemoryAccess.ReadOnly);
        Assert.Throws<InvalidOperationException>(() => mapping.Write<byte>(_page + 9, 1));
        mapping.Protect(0, _page + 10, MemoryAccess.ReadWrite);
        mapping.Write<byte>(_page + 9, 1);
    }

    [Fact]
    public void What_an_open_view_needs_cannot_be_taken_away()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        using (var writing = mapping.OpenWrite(_page + 5, 10))
        {
            Assert.Throws<InvalidOperationException>(() => mapping.Protect(0, 2 * _page, MemoryAccess.ReadOnly));
            mapping.Protect(2 * _page, _page, MemoryAccess.None);
            writing.Span.Fill(1);
        }

        using (var reading = mapping.OpenRead(_page + 5, 10))
        {
            mapping.Protect(0, 2 * _page, MemoryAccess.ReadOnly);
            var error = Assert.Throws<InvalidOperationException>(() => mapping.Protect(_page, _page, MemoryAccess.None));
            Assert.Contains("1 open view(s)", error.Message, StringComparison.Ordinal);
            Assert.Equal(1, reading.Span[0]);
        }

        mapping.Protect(_page, _page, MemoryAccess.None);
    }

    [Fact]
    public void Writable_raises_for_as_long_as_it_is_open()
    {
        using var file = _scratch.NewFile(Pages * _page);
        using var mapping = MemoryMapping.MapFile(file, 0, Pages * _page, _readOnly);
        using (var view = mapping.Writable(_page + 10, _page))
        {
            view.Span[0] = 42;
            Assert.Equal(["r--s", "rw-s", "rw-s", "r--s"], Permissions(mapping)[..4]);
            Assert.Throws<InvalidOperationException>(() => mapping.Write(_page, 1)); // the scope is its owner's alone
        }

        Assert.All(Permissions(mapping), permissions => Assert.Equal("r--s", permissions));
        Assert.Equal(42, mapping.Read<byte>(_page + 10));
    }

    [Fact]
    public void Writable_scopes_that_overlap_may_end_in_any_order()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        mapping.Protect(0, Pages * _page, MemoryAccess.ReadOnly);
        using var secondOpen = new ManualResetEventSlim();
        using var firstClosed = new ManualResetEventSlim();
        string[] between = [];
        var second = new Thread(() =>
        {
            using var view = mapping.Writable(2 * _page, 3 * _page);
            secondOpen.Set();
            Assert.True(firstClosed.Wait(TimeSpan.FromSeconds(60)));
            view.Span.Fill(3);
            between = Permissions(mapping);
        });
        using (var first = mapping.Writable(0, 3 * _page))
        {
            second.Start();
            Assert.True(secondOpen.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
            mapping.Protect(0, 2 * _page, MemoryAccess.None); // what holds below the scope may change under it
            first.Span.Fill(1);
        }

        firstClosed.Set();
        Assert.True(second.Join(TimeSpan.FromSeconds(60)));
        Assert.Equal(["---p", "---p", "rw-p", "rw-p", "rw-p", "r--p", "r--p", "r--p"], between);
        Assert.Equal(["---p", "---p", "r--p", "r--p", "r--p", "r--p", "r--p", "r--p"], Permissions(mapping));
    }

    [Fact]
    public void A_file_opened_read_only_never_becomes_writable()
    {
        using var file = _scratch.NewFile(_page);
        using var readOnly = LinuxFile.Reopen(file, writable: false);
        using var mapping = MemoryMapping.MapFile(readOnly, 0, _page, _readOnly);
        Assert.Throws<UnauthorizedAccessException>(() => mapping.Protect(0, _page, MemoryAccess.ReadWrite));
        Assert.Throws<UnauthorizedAccessException>(() => { using var view = mapping.Writable(0, 1); });
        using var copy = MemoryMapping.MapFile(readOnly, 0, _page, new() { Access = MemoryAccess.ReadOnly, Sharing = MappingSharing.Private });
        using (var view = copy.Writable(0, 1)) view.Span[0] = 1;
        Assert.Equal("r--p", ProcMaps.PermissionsAt(copy.Whole.Address(0)));
    }

    [Fact]
    public void A_full_file_system_is_an_exception_when_holes_become_writable()
    {
        using var tmpfs = new SmallTmpfs();
        using var sparse = tmpfs.NewFile();
        LinuxFile.SetLength(sparse, SmallTmpfs.SizeBytes / 2);
        using var mapping = MemoryMapping.MapFile(sparse, 0, SmallTmpfs.SizeBytes / 2, _readOnly); // fills the holes: reading needs them, too
        using var filler = tmpfs.NewFile();
        LinuxFile.Allocate(filler, 0, SmallTmpfs.SizeBytes / 2);
        using (var view = mapping.Writable(0, (int)(SmallTmpfs.SizeBytes / 2))) view.Span.Fill(1);
        Assert.Equal(1, mapping.Read<byte>(SmallTmpfs.SizeBytes / 2 - 1));
    }

    [Fact]
    public void Ranges_that_are_no_pages_of_the_mapping()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        (long, long)[] wrong = [(-_page, _page), (1, _page), (0, 0), (0, -_page), (0, (Pages + 1) * _page), (Pages * _page, _page), (0, _page + 1)];
        foreach (var (offset, length) in wrong)
        {
            Assert.ThrowsAny<ArgumentException>(() => mapping.Protect(offset, length, MemoryAccess.ReadOnly));
        }

        Assert.Throws<ArgumentException>(() => mapping.Protect(0, _page, (MemoryAccess)17));
        using var mirrored = MemoryMapping.MapAnonymous(_page, new() { Mirrored = true });
        Assert.Throws<InvalidOperationException>(() => mirrored.Protect(0, _page, MemoryAccess.ReadOnly));
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapping.Protect(0, _page, MemoryAccess.ReadOnly));
    }

    [Fact]
    public void Any_sequence_of_Protect_leaves_what_a_plain_array_says()
    {
        var step = Gen.Select(Gen.Int[0, Pages - 1], Gen.Int[1, Pages], Gen.Enum<MemoryAccess>());
        step.Array[1, 20].Sample(
            steps =>
            {
                using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
                var expected = Enumerable.Repeat(MemoryAccess.ReadWrite, Pages).ToArray();
                foreach (var (first, count, access) in steps)
                {
                    var end = Math.Min(Pages, first + count);
                    Array.Fill(expected, access, first, end - first);
                    mapping.Protect(first * _page, (end - first) * _page, access);
                }

                Assert.Equal(expected.Select(Text), Permissions(mapping));
            },
            iter: 200,
            threads: 1);
    }

    private static string[] Permissions(MemoryMapping mapping) =>
        [.. Enumerable.Range(0, Pages).Select(page => ProcMaps.PermissionsAt(mapping.Whole.Address(page * _page)))];

    private static string Text(MemoryAccess access) => access switch
    {
        MemoryAccess.ReadOnly => "r--p",
        MemoryAccess.ReadWrite => "rw-p",
        MemoryAccess.ReadExecute => "r-xp",
        _ => "---p",
    };
}
