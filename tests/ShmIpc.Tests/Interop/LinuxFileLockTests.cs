using ShmIpc.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class LinuxFileLockTests : IDisposable
{
    private const long Offset = 1L << 62; // far past the end of the file, where locks may be all the same

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void An_exclusive_lock_keeps_other_descriptions_out()
    {
        using var first = _scratch.NewFile();
        using var second = LinuxFile.Reopen(first);
        Assert.True(LinuxFile.TryLock(first, Offset, 1, exclusive: true));
        Assert.False(LinuxFile.TryLock(second, Offset, 1, exclusive: true));
        Assert.False(LinuxFile.TryLock(second, Offset, 1, exclusive: false));
        Assert.True(LinuxFile.TryLock(second, Offset + 1, 1, exclusive: true));
    }

    [Fact]
    public void Shared_locks_go_together_and_keep_an_exclusive_one_out()
    {
        using var first = _scratch.NewFile();
        using var second = LinuxFile.Reopen(first);
        Assert.True(LinuxFile.TryLock(first, Offset, 10, exclusive: false));
        Assert.True(LinuxFile.TryLock(second, Offset, 10, exclusive: false));
        Assert.False(LinuxFile.TryLock(second, Offset + 9, 1, exclusive: true));
        LinuxFile.Unlock(first, Offset, 10);
        Assert.True(LinuxFile.TryLock(second, Offset + 9, 1, exclusive: true));
    }

    [Fact]
    public void IsLocked_sees_the_locks_of_others_and_never_its_own_and_takes_none()
    {
        using var holder = _scratch.NewFile();
        using var prober = LinuxFile.Reopen(holder);
        Assert.False(LinuxFile.IsLocked(prober, Offset, 1));
        Assert.True(LinuxFile.TryLock(holder, Offset, 1, exclusive: true)); // so the probe before took none
        Assert.True(LinuxFile.IsLocked(prober, Offset, 1));
        Assert.False(LinuxFile.IsLocked(holder, Offset, 1));
        LinuxFile.Unlock(holder, Offset, 1);
        Assert.False(LinuxFile.IsLocked(prober, Offset, 1));
        Assert.True(LinuxFile.TryLock(holder, Offset, 1, exclusive: false));
        Assert.True(LinuxFile.IsLocked(prober, Offset, 1));
    }

    [Fact]
    public void A_lock_ends_with_the_last_descriptor_of_its_description()
    {
        using var prober = _scratch.NewFile();
        var holder = LinuxFile.Reopen(prober);
        var duplicate = LibC.fcntl((int)holder.DangerousGetHandle(), LibC.F_DUPFD_CLOEXEC, 0);
        Assert.True(LinuxFile.TryLock(holder, Offset, 1, exclusive: true));
        holder.Dispose();
        Assert.True(LinuxFile.IsLocked(prober, Offset, 1));
        Assert.Equal(0, LibC.close(duplicate));
        // A process that another test starts has a copy of the descriptor for a moment.
        Assert.True(SpinWait.SpinUntil(() => !LinuxFile.IsLocked(prober, Offset, 1), 60_000));
    }

    [Fact]
    public void A_lock_survives_that_another_description_closes()
    {
        using var holder = _scratch.NewFile();
        using var prober = LinuxFile.Reopen(holder);
        Assert.True(LinuxFile.TryLock(holder, Offset, 1, exclusive: true));
        LinuxFile.Reopen(holder).Dispose(); // what loses an old POSIX lock
        Assert.True(LinuxFile.IsLocked(prober, Offset, 1));
    }

    [Fact]
    public void Unlocking_what_is_not_locked_is_fine()
    {
        using var file = _scratch.NewFile();
        LinuxFile.Unlock(file, Offset, 1);
    }

    [Fact]
    public void A_length_of_nothing_reaches_to_the_end()
    {
        using var first = _scratch.NewFile();
        using var second = LinuxFile.Reopen(first);
        Assert.True(LinuxFile.TryLock(first, 5, 0, exclusive: false));
        Assert.Equal(new FoundLock(IsExclusive: false, 5, 0, -1), LinuxFile.FindLock(second, 0, 0, exclusive: true));
        Assert.Null(LinuxFile.FindLock(second, 0, 0, exclusive: false));
        Assert.False(LinuxFile.IsLocked(second, 0, 5));
        Assert.True(LinuxFile.IsLocked(second, Offset, 1));
    }

    [Fact]
    public void An_exclusive_lock_needs_a_writable_descriptor()
    {
        using var file = _scratch.NewFile();
        using var readOnly = LinuxFile.Reopen(file, writable: false);
        var error = Assert.Throws<ShmException>(() => LinuxFile.TryLock(readOnly, Offset, 1, exclusive: true));
        Assert.Equal(LibC.EBADF, error.ErrorNumber);
        Assert.True(LinuxFile.TryLock(readOnly, Offset, 1, exclusive: false));
        Assert.False(LinuxFile.IsLocked(readOnly, Offset, 1)); // asking does not need it
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    public void Ranges_that_are_none_are_refused(long offset, long lengthBytes)
    {
        using var file = _scratch.NewFile();
        Assert.Throws<ArgumentOutOfRangeException>(() => LinuxFile.TryLock(file, offset, lengthBytes, exclusive: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => LinuxFile.IsLocked(file, offset, lengthBytes));
    }
}
