// Protect against the kernel's own list, and against callbacks that are running. Writable, and any sequence of the two, is in
// WritableScopeTests.

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
        Assert.Throws<InvalidOperationException>(() => mapping.Read(bytes => bytes.Length));
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
    public void What_a_callback_needs_cannot_be_taken_away()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        mapping.Write(_page + 5, 10, bytes =>
        {
            Assert.Throws<InvalidOperationException>(() => mapping.Protect(0, 2 * _page, MemoryAccess.ReadOnly));
            mapping.Protect(2 * _page, _page, MemoryAccess.None);
            bytes.Fill(1);
        });
        mapping.Read(_page + 5, 10, bytes =>
        {
            mapping.Protect(0, 2 * _page, MemoryAccess.ReadOnly);
            var error = Assert.Throws<InvalidOperationException>(() => mapping.Protect(_page, _page, MemoryAccess.None));
            Assert.Contains("1 callback(s)", error.Message, StringComparison.Ordinal);
            Assert.Equal(1, bytes[0]);
        });
        mapping.Protect(_page, _page, MemoryAccess.None);
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

    private static string[] Permissions(MemoryMapping mapping) => ProcMaps.PermissionsOf(mapping.Whole.Start, Pages);
}
