// Locks against the kernel's own count of locked memory (VmLck, and Locked: of the mapping). Nothing else may lock meanwhile.

using ShmIpc.Interop;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

[CollectionDefinition(nameof(MemoryLockTests), DisableParallelization = true)]
[Collection(nameof(MemoryLockTests))]
public sealed class MemoryLockTests
{
    private const int Pages = 16;

    private static readonly int _page = Environment.SystemPageSize;
    private static readonly MemoryMappingOptions _private = new() { Sharing = MappingSharing.Private };

    private static long LockedBytes => ProcessStatus.ReadOwn().LockedBytes!.Value;

    private static bool MayLockAnything =>
        ProcessStatus.ReadOwn().MayLockBeyondLimit == true || LinuxLimits.Soft(LibCExtras.RLIMIT_MEMLOCK) is null;

    [Fact]
    public void A_lock_brings_pages_in_and_holds_them_until_it_is_disposed()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        var before = LockedBytes;
        using (var token = mapping.Lock(_page + 1, 2 * _page))
        {
            Assert.Equal(3 * _page, token.LengthBytes); // the pages that the bytes lie in
            Assert.Equal(before + 3 * _page, LockedBytes);
            Assert.Equal(3, KernelProbe.PagesPresent(mapping.Whole.Address(0), Pages * _page));
            Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(_page)));
            Assert.DoesNotContain("lo", ProcMaps.FlagsAt(mapping.Whole.Address(0)));
        }

        Assert.Equal(before, LockedBytes);
    }

    [Fact]
    public void On_fault_locks_what_is_touched()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        using var token = mapping.Lock(onFault: true);
        Assert.Equal(0, KernelProbe.PagesPresent(mapping.Whole.Address(0), Pages * _page));
        mapping.Write(3 * _page, 1);
        Assert.Equal(1, KernelProbe.PagesPresent(mapping.Whole.Address(0), Pages * _page));
        Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(0)));
    }

    [Fact]
    public void Locks_that_overlap_end_one_by_one()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        var before = LockedBytes;
        var first = mapping.Lock(0, 4 * _page);
        var second = mapping.Lock(2 * _page, 4 * _page);
        var third = mapping.Lock(3 * _page, _page);
        Assert.Equal(before + 6 * _page, LockedBytes);
        first.Dispose();
        first.Dispose();
        Assert.Equal(before + 4 * _page, LockedBytes);
        second.Dispose();
        Assert.Equal(before + _page, LockedBytes);
        Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(3 * _page)));
        third.Dispose();
        Assert.Equal(before, LockedBytes);
    }

    [Fact]
    public void A_lock_keeps_its_mapping_and_the_option_ends_with_it()
    {
        var before = LockedBytes;
        var mapping = MemoryMapping.MapAnonymous(Pages * _page, new() { Sharing = MappingSharing.Private, Locked = true });
        Assert.Equal(before + Pages * _page, LockedBytes);
        var start = mapping.Whole.Address(0);
        var line = ProcMaps.LineAt(start);
        var token = mapping.Lock(0, _page);
        mapping.Dispose();
        Assert.Equal("rw-p", ProcMaps.PermissionsAt(start));
        Assert.Throws<ObjectDisposedException>(() => mapping.Lock(0, _page));
        token.Dispose();
        Assert.NotEqual(line, ProcMaps.LineAt(start));
        Assert.Equal(before, LockedBytes);
    }

    [Fact]
    public void Ranges_that_cannot_be_locked()
    {
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        var before = LockedBytes;
        (long, long)[] wrong = [(-1, 1), (0, 0), (0, -1), (0, Pages * _page + 1), (Pages * _page, 1), (1, long.MaxValue)];
        foreach (var (offset, length) in wrong) Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Lock(offset, length));
        mapping.Protect(_page, _page, MemoryAccess.None);
        Assert.Throws<InvalidOperationException>(() => mapping.Lock());
        Assert.Throws<ArgumentException>(() => MemoryLock.LockAll(0));
        Assert.Equal(before, LockedBytes);
    }

    [Fact]
    public void More_than_the_machine_has_is_refused_before_the_kernel_kills_for_it()
    {
        using var mapping = MemoryMapping.MapAnonymous(1L << 42, new() { Sharing = MappingSharing.Private, NoReserve = true });
        Assert.False(mapping.TryLock(0, 1L << 42, onFault: false, out var token, out var refusal));
        Assert.Null(token);
        Assert.IsType<ShmNoSpaceException>(refusal);
    }

    [Fact]
    public void A_range_of_more_pages_than_an_array_has_bytes_is_refused_as_too_long()
    {
        using var mapping = MemoryMapping.MapAnonymous(1L << 44, new() { Sharing = MappingSharing.Private, NoReserve = true });
        Assert.False(mapping.TryLock(0, 1L << 44, onFault: false, out _, out var refusal));
        Assert.IsType<ShmNoSpaceException>(refusal);
    }

    [Fact]
    public void Closed_memory_cannot_be_locked_for_life()
    {
        var error = Assert.Throws<ArgumentException>(
            () => MemoryMapping.MapAnonymous(_page, new() { Sharing = MappingSharing.Private, Access = MemoryAccess.None, Locked = true }));
        Assert.Contains("None", error.Message, StringComparison.Ordinal);
    }

    // munlockall undoes it too, and the kernel refuses to bring in what is closed.
    [Fact]
    public void What_was_closed_after_it_was_locked_stays_locked_when_a_lock_of_the_whole_process_ends()
    {
        Assert.SkipUnless(MayLockAnything, "This process may lock 8 MiB or so, and a whole .NET process is more.");
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        using var own = mapping.Lock();
        mapping.Protect(_page, _page, MemoryAccess.None);
        using (MemoryLock.LockAll())
        {
        }

        Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(_page)));
        Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(2 * _page)));
    }

    [Fact]
    public void Beyond_the_limit_the_refusal_says_how_much_and_what_to_do()
    {
        Assert.SkipWhen(MayLockAnything, "This process may lock any amount of memory; MemoryRefusalTests has a child without the right.");
        var limit = LinuxLimits.Soft(LibCExtras.RLIMIT_MEMLOCK)!.Value;
        using var mapping = MemoryMapping.MapAnonymous(limit + _page, _private);
        Assert.False(mapping.TryLock(0, limit + _page, onFault: true, out _, out var refusal));
        Assert.Contains($"{limit} bytes (RLIMIT_MEMLOCK)", refusal!.Message, StringComparison.Ordinal);
        Assert.Contains("ulimit -l", refusal.Message, StringComparison.Ordinal);
        Assert.False(MemoryLock.TryLockAll(MemoryLockScope.Future, onFault: true, out _, out refusal));
        Assert.Contains("CAP_IPC_LOCK", refusal!.Message, StringComparison.Ordinal);
        Assert.False(MemoryLock.TryLockAll(MemoryLockScope.CurrentAndFuture, onFault: true, out _, out refusal));
        Assert.Contains("CAP_IPC_LOCK", refusal!.Message, StringComparison.Ordinal);
        Assert.False(MemoryLock.TryLockAll(MemoryLockScope.Current, onFault: true, out _, out refusal));
        Assert.Contains("RLIMIT_MEMLOCK", refusal!.Message, StringComparison.Ordinal);
        Assert.Equal(0, LockedBytes);
        new Thread(() => { }).Start(); // what a promise about the future would have ended
    }

    [Theory]
    [InlineData(MemoryLockScope.Current)]
    [InlineData(MemoryLockScope.Future)]
    [InlineData(MemoryLockScope.CurrentAndFuture)]
    public void The_whole_process_is_locked_and_unlocked_again(MemoryLockScope scope)
    {
        Assert.SkipUnless(MayLockAnything, "This process may lock 8 MiB or so, and a whole .NET process is more.");
        using var mapping = MemoryMapping.MapAnonymous(Pages * _page, _private);
        using var own = mapping.Lock(0, _page);
        var before = LockedBytes;
        using (MemoryLock.LockAll(scope))
        {
            using var later = MemoryMapping.MapAnonymous(Pages * _page, _private);
            Assert.Equal(scope != MemoryLockScope.Future, ProcMaps.FlagsAt(mapping.Whole.Address(5 * _page)).Contains("lo"));
            Assert.Equal(scope != MemoryLockScope.Current, ProcMaps.FlagsAt(later.Whole.Address(0)).Contains("lo"));
            using (MemoryLock.LockAll(MemoryLockScope.Current))
            {
                Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(5 * _page)));
            }

            Assert.Equal(scope != MemoryLockScope.Future, ProcMaps.FlagsAt(mapping.Whole.Address(5 * _page)).Contains("lo"));
        }

        Assert.Equal(before, LockedBytes); // its own page is locked still
        Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(0)));

        using var again = MemoryLock.LockAll(scope);
        MemoryLock.UnlockAll();
        Assert.Equal(before, LockedBytes);
        Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Address(0)));
    }
}
