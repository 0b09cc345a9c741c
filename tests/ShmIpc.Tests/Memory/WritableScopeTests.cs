// Writable against the kernel's own list: pages are raised while a scope is open, and for as long as a callback still needs them, whatever
// the order in which all of them end.

using System.Diagnostics;
using CsCheck;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class WritableScopeTests : IDisposable
{
    private const int Pages = 8;

    private static readonly int _page = Environment.SystemPageSize;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly MemoryMappingOptions _private = new() { Sharing = MappingSharing.Private };
    private static readonly MemoryMappingOptions _readOnly = new() { Access = MemoryAccess.ReadOnly };

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_scope_raises_its_pages_and_lets_its_range_be_written()
    {
        using var file = _scratch.NewFile(Pages * _page);
        using var mapping = MemoryMapping.MapFile(file, 0, Pages * _page, _readOnly);
        using (mapping.Writable(_page + 10, _page))
        {
            mapping.Write(_page + 10, 42);
            mapping.Write(_page + 20, 5, bytes => bytes.Fill(7));
            mapping.WriteAt(_page + 10 + _page - 1, [9]);
            Assert.Equal(["r--s", "rw-s", "rw-s", "r--s"], Permissions(mapping)[..4]);
            Assert.Throws<InvalidOperationException>(() => mapping.Write<byte>(_page + 9, 1)); // the page is open, the range is not
            Assert.Throws<InvalidOperationException>(() => mapping.Write(_page + 10 + _page - 1, (short)1));
        }

        Assert.All(Permissions(mapping), permissions => Assert.Equal("r--s", permissions));
        Assert.Equal(42, mapping.Read<int>(_page + 10));
        Assert.Equal((7, 9), (mapping.Read<byte>(_page + 24), mapping.Read<byte>(2 * _page + 9)));
        var error = Assert.Throws<InvalidOperationException>(() => mapping.Write(_page + 10, 1));
        Assert.Contains("use Writable", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scope_of_no_bytes_opens_nothing_and_leaves_the_holes_to_the_next()
    {
        Assert.SkipUnless(KernelFeatures.Probe().Populates, "This kernel (before 5.14) fills no holes when pages become writable.");
        using var root = new DiskRoot();
        using var file = File.OpenHandle(root.FileOf("hole"), FileMode.CreateNew, FileAccess.ReadWrite);
        LinuxFile.SetLength(file, _page);
        using var mapping = MemoryMapping.MapFile(file, 0, _page, _readOnly);
        using (mapping.Writable(10, 0)) Assert.Equal("r--s", Permissions(mapping)[0]);
        using (mapping.Writable(0, _page)) Assert.NotEqual(0, KernelProbe.AllocatedBytes(file)); // before anything is written
    }

    [Fact]
    public void An_open_scope_lets_all_of_a_mapping_be_populated_that_ends_inside_a_page()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page + 10, _private);
        mapping.Protect(0, _page + 10, MemoryAccess.ReadOnly);
        using (mapping.Writable(0, _page + 10)) mapping.Advise(0, _page + 10, MemoryAdvice.PopulateWrite);
        Assert.Equal(2, KernelProbe.PagesPresent(mapping.Whole.Start, 2 * _page));
    }

    [Fact]
    public void A_second_close_takes_nothing_from_another_scope()
    {
        using var mapping = ReadOnlyPages();
        var first = mapping.Writable(0, _page);
        var second = mapping.Writable(0, _page);
        first.Dispose();
        first.Dispose();
        using (first)
        {
        }

        Assert.Equal("rw-p", Permissions(mapping)[0]);
        mapping.Write(0, 1);
        second.Dispose();
        Assert.Equal("r--p", Permissions(mapping)[0]);
        Assert.Throws<InvalidOperationException>(() => mapping.Write(0, 1));
    }

    [Fact]
    public void Scopes_nest_and_add_up()
    {
        using var mapping = ReadOnlyPages();
        using (mapping.Writable(0, 3 * _page))
        {
            using (mapping.Writable(_page, _page)) mapping.Write(_page - 1, 1);
            Assert.Equal(["rw-p", "rw-p", "rw-p", "r--p"], Permissions(mapping)[..4]);
            mapping.Write(_page - 1, 2);
            Assert.Throws<InvalidOperationException>(() => mapping.Write(3 * _page - 1, (short)1));
            using (mapping.Writable(3 * _page, 1)) mapping.Write(3 * _page - 1, (short)1); // half of it in each
        }

        Assert.All(Permissions(mapping), permissions => Assert.Equal("r--p", permissions));
    }

    // The scope ends, and the mapping too, on another thread while the callback writes; its pages, and only they, stay as it needs them.
    [Fact]
    public void A_callback_that_outlives_its_scope_goes_on_writing()
    {
        var mapping = ReadOnlyPages();
        var scope = mapping.Writable(0, 4 * _page);
        mapping.Write(_page, _page, bytes =>
        {
            OnAnotherThread(scope.Dispose);
            Assert.Equal(["r--p", "rw-p", "r--p", "r--p"], Permissions(mapping)[..4]);
            bytes.Fill(1);
            Assert.Throws<InvalidOperationException>(() => mapping.Write(_page, 1)); // who comes now is too late
            mapping.Protect(_page, _page, MemoryAccess.None); // it needs nothing of what is taken away
            Assert.Equal("rw-p", Permissions(mapping)[1]);
            OnAnotherThread(mapping.Dispose);
            bytes.Fill(2);
            Assert.Equal("rw-p", ProcMaps.PermissionsAt(mapping.Whole.Address(_page)));
        });
        Assert.Throws<ObjectDisposedException>(() => _ = mapping.Whole);
    }

    [Fact]
    public void A_callback_that_reads_closed_pages_keeps_them_readable()
    {
        using var mapping = ReadOnlyPages();
        mapping.Protect(0, _page, MemoryAccess.None);
        var scope = mapping.Writable(0, _page);
        mapping.Read(0, _page, bytes =>
        {
            scope.Dispose();
            Assert.Equal("r--p", Permissions(mapping)[0]);
            Assert.Equal(0, bytes[1]);
            Assert.Throws<InvalidOperationException>(() => mapping.Read<byte>(0));
        });
        Assert.Equal("---p", Permissions(mapping)[0]);
    }

    [Fact]
    public void Scopes_that_overlap_may_end_in_any_order()
    {
        using var mapping = ReadOnlyPages();
        var first = mapping.Writable(0, 3 * _page);
        var second = mapping.Writable(2 * _page, 3 * _page);
        mapping.Protect(0, 2 * _page, MemoryAccess.None); // what holds below a scope may change under it
        mapping.Write(0, 1);
        OnAnotherThread(first.Dispose);
        mapping.Write(2 * _page, 3 * _page, bytes => bytes.Fill(3));
        Assert.Equal(["---p", "---p", "rw-p", "rw-p", "rw-p", "r--p", "r--p", "r--p"], Permissions(mapping));
        second.Dispose();
        Assert.Equal(["---p", "---p", "r--p", "r--p", "r--p", "r--p", "r--p", "r--p"], Permissions(mapping));
    }

    // Opened and closed in any order: scopes, uses that read and uses that write, and Protect between them. A plain array says what the
    // kernel should have for each page, and who is refused.
    [Fact]
    public void Any_sequence_leaves_what_a_plain_array_says()
    {
        var step = Gen.Select(Gen.Int[0, 5], Gen.Int[0, Pages - 1], Gen.Int[1, Pages], Gen.Enum<MemoryAccess>());
        step.Array[1, 30].Sample(
            steps =>
            {
                using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
                var model = new PageModel(Pages);
                List<(IDisposable Open, PageModel.Use Use)> open = [];
                foreach (var (kind, first, count, access) in steps)
                {
                    var end = Math.Min(Pages, first + count);
                    var (offset, length) = ((long)first * _page, (end - first) * _page);
                    switch (kind)
                    {
                        case 0:
                            open.Add((mapping.Writable(offset, length), model.Add(PageModel.Kind.Scope, first, end)));
                            break;
                        case 1 or 2:
                            var use = kind == 1 ? PageModel.Kind.Reader : PageModel.Kind.Writer;
                            if (model.Allows(use, first, end)) open.Add((mapping.Open(offset, length, use == PageModel.Kind.Writer), model.Add(use, first, end)));
                            else Assert.Throws<InvalidOperationException>(() => mapping.Open(offset, length, use == PageModel.Kind.Writer));
                            break;
                        case 3:
                            if (model.TryProtect(first, end, access)) mapping.Protect(offset, length, access);
                            else Assert.Throws<InvalidOperationException>(() => mapping.Protect(offset, length, access));
                            break;
                        default:
                            if (open.Count == 0) break;
                            var closed = open[first % open.Count];
                            closed.Open.Dispose();
                            closed.Open.Dispose();
                            open.Remove(closed);
                            model.Remove(closed.Use);
                            break;
                    }

                    Assert.Equal(model.Permissions, Permissions(mapping));
                }

                foreach (var one in open) one.Open.Dispose();
                foreach (var one in open) model.Remove(one.Use);
                Assert.Equal(model.Permissions, Permissions(mapping));
                Assert.True(mapping.TryUnmap());
            },
            iter: 100,
            threads: 1);
    }

    // One thread opens and closes scopes, others write: each write goes through or is refused, and nobody faults.
    [Fact]
    public void Writes_and_the_ends_of_scopes_race_without_a_fault()
    {
        using var mapping = ReadOnlyPages();
        using var done = new CancellationTokenSource();
        long written = 0, refused = 0;
        var writers = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            while (!done.IsCancellationRequested)
            {
                try
                {
                    mapping.Write(_page - 8, 16, bytes => bytes.Fill(1));
                    Interlocked.Increment(ref written);
                }
                catch (InvalidOperationException)
                {
                    Interlocked.Increment(ref refused);
                }
            }
        })).ToArray();
        foreach (var writer in writers) writer.Start();
        try
        {
            bool BothSeen() => Interlocked.Read(ref written) > 0 && Interlocked.Read(ref refused) > 0;
            var clock = Stopwatch.StartNew(); // a thread may get no processor for a while
            for (var round = 0; round < 100 || (!BothSeen() && clock.Elapsed < _patience); round++)
            {
                using (mapping.Writable(0, 2 * _page)) Thread.SpinWait(round % 100);
            }
        }
        finally
        {
            done.Cancel();
        }

        Assert.All(writers, writer => Assert.True(writer.Join(_patience)));
        Assert.True(written > 0 && refused > 0, $"{written} written, {refused} refused");
        Assert.All(Permissions(mapping), permissions => Assert.Equal("r--p", permissions));
    }

    [Fact]
    public void A_file_opened_read_only_never_becomes_writable()
    {
        using var file = _scratch.NewFile(_page);
        using var readOnly = LinuxFile.Reopen(file, writable: false);
        using var mapping = MemoryMapping.MapFile(readOnly, 0, _page, _readOnly);
        Assert.Throws<UnauthorizedAccessException>(() => mapping.Protect(0, _page, MemoryAccess.ReadWrite));
        Assert.Throws<UnauthorizedAccessException>(() => mapping.Writable(0, 1));
        using var copy = MemoryMapping.MapFile(readOnly, 0, _page, new() { Access = MemoryAccess.ReadOnly, Sharing = MappingSharing.Private });
        using (copy.Writable(0, 1)) copy.Write<byte>(0, 1);
        Assert.Equal("r--p", ProcMaps.PermissionsAt(copy.Whole.Address(0)));
    }

    [Fact]
    public void Ranges_that_are_not_in_the_mapping()
    {
        using var mapping = ReadOnlyPages();
        foreach (var (offset, length) in ((long, long)[])[(-1, 1), (0, -1), (0, Pages * _page + 1), (Pages * _page, 1), (long.MaxValue, 2)])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Writable(offset, length));
        }

        mapping.Writable(5, 0).Dispose();
        Assert.All(Permissions(mapping), permissions => Assert.Equal("r--p", permissions));
        using var mirrored = MemoryMapping.MapAnonymous(_page, new() { Mirrored = true });
        Assert.Throws<InvalidOperationException>(() => mirrored.Writable(0, 1));
        Assert.True(mapping.TryUnmap()); // no refusal has left a hold
        Assert.Throws<ObjectDisposedException>(() => mapping.Writable(0, 1));
    }

    [Fact]
    public void What_is_read_only_on_a_full_file_system_has_its_space_when_it_becomes_writable()
    {
        using var tmpfs = new SmallTmpfs();
        using var sparse = tmpfs.NewFile();
        LinuxFile.SetLength(sparse, SmallTmpfs.SizeBytes / 2);
        using var mapping = MemoryMapping.MapFile(sparse, 0, SmallTmpfs.SizeBytes / 2, _readOnly); // fills the holes: reading needs them, too
        using var filler = tmpfs.NewFile();
        LinuxFile.Allocate(filler, 0, SmallTmpfs.SizeBytes / 2);
        using (mapping.Writable(0, SmallTmpfs.SizeBytes / 2)) mapping.Write(bytes => bytes.Fill(1));
        Assert.Equal(1, mapping.Read<byte>(SmallTmpfs.SizeBytes / 2 - 1));
    }

    private static MemoryMapping ReadOnlyPages()
    {
        var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        mapping.Protect(0, Pages * _page, MemoryAccess.ReadOnly);
        return mapping;
    }

    private static void OnAnotherThread(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        Assert.True(thread.Join(_patience));
    }

    private static string[] Permissions(MemoryMapping mapping) => ProcMaps.PermissionsOf(mapping.Whole.Start, Pages);
}
