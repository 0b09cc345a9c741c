// Files in memory and their seals. What a seal forbids is asked of the kernel itself, and then of the library, which has to say why.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed unsafe class MemoryFileTests
{
    private static readonly int _page = Environment.SystemPageSize;
    private static readonly MemoryMappingOptions _readOnly = new() { Access = MemoryAccess.ReadOnly };
    private static readonly MemoryFileOptions _unsealed = new() { Seals = MemorySeals.None };

    [Fact]
    public void A_file_is_what_the_kernel_says_it_is()
    {
        using var file = MemoryFile.Create("a name / with a slash", 3 * _page + 5);
        Assert.Equal(3 * _page + 5, file.LengthBytes);
        Assert.True(file.CanWrite);
        Assert.Equal("a name / with a slash", file.Name);
        Assert.Equal($"/proc/{Environment.ProcessId}/fd/{file.Descriptor}", file.ProcessPath);
        Assert.Equal("/memfd:a name / with a slash (deleted)", new FileInfo(file.ProcessPath).LinkTarget);
        Assert.Equal(LibC.FD_CLOEXEC, LibC.fcntl(file.Descriptor, LibC.F_GETFD));
        Assert.Equal((uint)0x1A4, LinuxFile.Status(file.Handle).Permissions);
        Assert.Equal(MemorySeals.Shrink, file.Seals & ~MemorySeals.Exec);
        stat status;
        Assert.Equal(0, LibC.fstat(file.Descriptor, &status));
        Assert.Equal(4 * _page / 512, (long)status.st_blocks); // allocated, not only promised

        using var mapping = file.Map();
        var start = mapping.Whole.Address(0);
        Assert.Equal("rw-s", ProcMaps.PermissionsAt(start));
        Assert.Contains("/memfd:a name / with a slash", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        mapping.Whole.Bytes(_page, 1)[0] = 42;
        using var part = file.Map(_page, _page, _readOnly);
        Assert.Equal(42, part.Whole.Bytes(0, 1)[0]);
    }

    [Fact]
    public void The_seals_have_the_numbers_of_the_kernel()
    {
        Assert.Equal(
            (LibC.F_SEAL_SEAL, LibC.F_SEAL_SHRINK, LibC.F_SEAL_GROW, LibC.F_SEAL_WRITE, LibCExtras.F_SEAL_FUTURE_WRITE,
                LibCExtras.F_SEAL_EXEC),
            ((int)MemorySeals.Seal, (int)MemorySeals.Shrink, (int)MemorySeals.Grow, (int)MemorySeals.Write, (int)MemorySeals.FutureWrite,
                (int)MemorySeals.Exec));
    }

    [Fact]
    public void Nobody_can_truncate_it_by_default()
    {
        using var file = MemoryFile.Create("x", 2 * _page);
        Assert.Equal(LibC.EPERM, ErrnoOf(() => LibC.ftruncate(file.Descriptor, _page)));
        file.Require(MemorySeals.Shrink);
        using var other = MemoryFile.Create("x", 2 * _page, _unsealed);
        Assert.Equal(0, ErrnoOf(() => LibC.ftruncate(other.Descriptor, _page))); // so it was the seal
    }

    [Fact]
    public void It_cannot_be_made_a_program()
    {
        using var file = MemoryFile.Create("x", _page);
        Assert.SkipUnless(file.Seals.HasFlag(MemorySeals.Exec), "The kernel is older than 6.3 and does not know F_SEAL_EXEC.");
        Assert.Equal(LibC.EPERM, ErrnoOf(() => LibC.fchmod(file.Descriptor, (mode_t)0x1EDu))); // 0755
        Assert.Equal(0, ErrnoOf(() => LibC.fchmod(file.Descriptor, (mode_t)0x180u)));
    }

    [Fact]
    public void Growing_takes_the_memory_and_is_sealed_off()
    {
        using var file = MemoryFile.Create("x", _page + 1);
        file.Grow(4 * _page);
        file.Grow(4 * _page);
        Assert.Equal(4 * _page, file.LengthBytes);
        stat status;
        Assert.Equal(0, LibC.fstat(file.Descriptor, &status));
        Assert.Equal(4 * _page / 512, (long)status.st_blocks);
        Assert.Contains("only grows", Assert.Throws<ArgumentOutOfRangeException>(() => file.Grow(_page)).Message, StringComparison.Ordinal);

        file.Seal(MemorySeals.Grow);
        Assert.Equal(LibC.EPERM, ErrnoOf(() => LibC.ftruncate(file.Descriptor, 5 * _page)));
        IsRefusedBy("sealed with Grow", () => file.Grow(5 * _page));
        IsRefusedBy("sealed with Grow", () => file.Map(0, 5 * _page));
        IsRefusedBy("sealed with Grow", () => file.Map(_page, 4 * _page));
        file.Map().Dispose();
        Assert.Equal(4 * _page, file.LengthBytes);
    }

    [Fact]
    public void Write_forbids_all_writing_and_waits_for_nobody()
    {
        using var file = MemoryFile.Create("x", _page);
        var writing = file.Map();
        writing.Whole.Bytes(0, 1)[0] = 7;
        var busy = Assert.Throws<ShmException>(() => file.Seal(MemorySeals.Write));
        Assert.Equal(LibC.EBUSY, busy.ErrorNumber);
        Assert.Contains("has it mapped for writing", busy.Message, StringComparison.Ordinal);
        Assert.Contains("FutureWrite", busy.Message, StringComparison.Ordinal);
        Assert.False(file.Seals.HasFlag(MemorySeals.Write));
        writing.Dispose();

        file.Seal(MemorySeals.Write);
        IsReadOnlyFrom(file);
        IsRefusedBy("sealed with Write", () => file.Map());
        file.Require(MemorySeals.Write | MemorySeals.FutureWrite);
        using var reading = file.Map(_readOnly);
        Assert.Equal(7, reading.Read<byte>(0));
        CannotBeOpenedUp(reading);

        using var copy = file.Map(new MemoryMappingOptions { Sharing = MappingSharing.Private }); // which is not the file's bytes
        copy.Write<byte>(0, 8);
        Assert.Equal((8, 7), (copy.Read<byte>(0), reading.Read<byte>(0)));
    }

    [Fact]
    public void FutureWrite_leaves_the_creator_writing_and_nobody_else()
    {
        using var file = MemoryFile.Create("x", _page);
        using var writing = file.Map();
        file.Seal(MemorySeals.FutureWrite);
        IsReadOnlyFrom(file);
        IsRefusedBy("sealed with FutureWrite", () => file.Map());
        file.Require(MemorySeals.FutureWrite);
        Assert.Throws<ShmException>(() => file.Require(MemorySeals.Write));
        using var reading = file.Map(_readOnly);
        writing.Whole.Bytes(3, 1)[0] = 9;
        Assert.Equal(9, reading.Whole.Bytes(3, 1)[0]);
        CannotBeOpenedUp(reading);

        // A hole would zero what is live, also through the mapping that may write.
        var address = (void*)writing.Whole.Address(0);
        Assert.Equal(LibC.EPERM, ErrnoOf(() => LibC.madvise(address, _page, LibC.MADV_REMOVE)));
        Assert.Equal(9, reading.Whole.Bytes(3, 1)[0]);
    }

    [Fact]
    public void Seal_is_the_last_one()
    {
        using var file = MemoryFile.Create("x", _page, new MemoryFileOptions { Seals = MemorySeals.Shrink | MemorySeals.Seal });
        Assert.Equal(LibC.EPERM, ErrnoOf(() => LibC.fcntl(file.Descriptor, LibC.F_ADD_SEALS, LibC.F_SEAL_GROW)));
        IsRefusedBy("sealed with Seal, so nobody can put on Grow", () => file.Seal(MemorySeals.Grow | MemorySeals.Shrink));
        file.Seal(MemorySeals.Shrink | MemorySeals.Seal); // which it has
        file.Seal(MemorySeals.None);
    }

    [Fact]
    public void A_read_only_descriptor_only_reads()
    {
        using var file = MemoryFile.Create("x", _page);
        using var reader = file.OpenReadOnly();
        Assert.False(reader.CanWrite);
        Assert.Equal((file.Name, file.LengthBytes, file.Seals), (reader.Name, reader.LengthBytes, reader.Seals));
        Assert.Equal(LibC.EACCES, MapErrno(reader.Handle));
        Assert.Equal(LibC.EBADF, WriteErrno(reader));
        IsRefusedBy("opened read-only", () => reader.Map());
        IsRefusedBy("is read-only", () => reader.Grow(2 * _page));
        IsRefusedBy("is read-only", () => reader.Seal(MemorySeals.Grow));
        using var mapping = reader.Map(_readOnly);
        CannotBeOpenedUp(mapping);
        using var writing = file.Map(); // nothing is sealed
    }

    [Fact]
    public void A_file_that_its_sender_could_truncate_is_refused_and_why()
    {
        using var file = MemoryFile.Create("theirs", _page, _unsealed);
        using var received = MemoryFile.Open(LinuxFile.Reopen(file.Handle));
        var error = Assert.Throws<ShmException>(() => received.Require(MemorySeals.Shrink | MemorySeals.Grow));
        foreach (var part in (string[])["\"theirs\"", "without Shrink", "truncate it", "SIGBUS", "without Grow", "longer"])
        {
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }

        foreach (var seal in Enum.GetValues<MemorySeals>().Except([MemorySeals.None, MemorySeals.Exec]))
        {
            error = Assert.Throws<ShmException>(() => received.Require(seal));
            Assert.Contains($"without {seal} ", error.Message, StringComparison.Ordinal);
        }

        file.Seal(MemorySeals.Shrink | MemorySeals.Grow);
        received.Require(MemorySeals.Shrink | MemorySeals.Grow); // a seal is of the file, not of the descriptor
    }

    [Fact]
    public void Names_and_lengths_that_cannot_be()
    {
        Assert.Throws<ArgumentNullException>(() => MemoryFile.Create(null!, 1));
        Assert.Throws<ArgumentException>(() => MemoryFile.Create("", 1));
        Assert.Throws<ArgumentException>(() => MemoryFile.Create("a\0b", 1));
        var error = Assert.Throws<ArgumentException>(() => MemoryFile.Create(new string('ä', 125), 1));
        Assert.Contains("at most 249 bytes as UTF-8, and this one 250", error.Message, StringComparison.Ordinal);
        using var longest = MemoryFile.Create(new string('a', 249), 1);
        Assert.Equal(longest.Name, MemoryFile.Open(LinuxFile.Reopen(longest.Handle)).Name);

        foreach (var lengthBytes in (long[])[0, -1, long.MinValue])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => MemoryFile.Create("x", lengthBytes));
        }

        foreach (var lengthBytes in (long[])[1L << 46, long.MaxValue])
        {
            var full = Assert.Throws<ShmNoSpaceException>(() => MemoryFile.Create("x", lengthBytes));
            Assert.Equal(lengthBytes, full.RequestedBytes);
            Assert.Contains("bytes left", full.Message, StringComparison.Ordinal);
        }

        var none = new MemoryFileOptions { Seals = (MemorySeals)0x100 };
        Assert.Contains("0x100", Assert.Throws<ArgumentException>(() => MemoryFile.Create("x", 1, none)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => longest.Seal((MemorySeals)0x40));
        Assert.Throws<ArgumentException>(() => longest.Require((MemorySeals)0x40));
    }

    [Fact]
    public void A_closed_file_is_an_exception_everywhere()
    {
        var file = MemoryFile.Create("x", _page);
        var mapping = file.Map();
        file.Dispose();
        file.Dispose();
        mapping.Whole.Bytes(0, 1)[0] = 1; // it needs the file no more
        mapping.Dispose();
        foreach (var use in (Action[])
        [
            () => _ = file.LengthBytes, () => _ = file.Seals, () => _ = file.Descriptor, () => _ = file.ProcessPath,
            () => file.Grow(2 * _page), () => file.Seal(MemorySeals.Grow), () => file.Require(MemorySeals.Shrink), () => file.Map(), () => file.Map(0, _page),
            () => file.Map(0, _page, _readOnly), () => file.OpenReadOnly(), () => file.MakeInheritable(),
            () => MemoryFile.Open(file.Handle),
        ])
        {
            Assert.Throws<ObjectDisposedException>(use);
        }
    }

    [Fact]
    public void What_is_no_file_in_memory()
    {
        var path = Path.Combine("/dev/shm", $"shmipc-test-{Guid.NewGuid():N}");
        using var shm = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        using var zero = File.OpenHandle("/dev/zero");
        foreach (var (other, name) in ((SafeFileHandle, string)[])[(shm, path), (zero, "/dev/zero")])
        {
            var error = Assert.Throws<ArgumentException>(() => MemoryFile.Open(other));
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
            Assert.Contains("memfd_create", error.Message, StringComparison.Ordinal);
            Assert.False(other.IsClosed);
            using var borrowed = new BorrowedDescriptor(other);
            var number = borrowed.Number;
            Assert.Throws<ArgumentException>(() => MemoryFile.OpenFrom(Environment.ProcessId, number));
        }

        Assert.Throws<ArgumentNullException>(() => MemoryFile.Open(null!));
        using var invalid = new SafeFileHandle(-1, ownsHandle: false);
        Assert.Throws<ArgumentException>(() => MemoryFile.Open(invalid));
    }

    [Fact]
    public void Opening_from_a_process_and_what_is_not_there()
    {
        using var file = MemoryFile.Create("x", _page);
        using (var again = MemoryFile.OpenFrom(Environment.ProcessId, file.Descriptor))
        using (var reader = MemoryFile.OpenFrom(Environment.ProcessId, file.Descriptor, MemoryAccess.ReadOnly))
        {
            Assert.Equal(("x", true, false), (again.Name, again.CanWrite, reader.CanWrite));
            Assert.Equal(LinuxFile.Status(file.Handle).Inode, LinuxFile.Status(reader.Handle).Inode);
        }

        Assert.Throws<ArgumentException>(() => MemoryFile.OpenFrom(Environment.ProcessId, file.Descriptor, (MemoryAccess)77));
        var error = Assert.Throws<ShmException>(() => MemoryFile.OpenFrom(Environment.ProcessId, 1 << 20));
        Assert.Contains("has no descriptor 1048576", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ShmException>(() => MemoryFile.OpenFrom(int.MaxValue, 3));
        Assert.Contains("There is no process 2147483647", error.Message, StringComparison.Ordinal);
        Assert.Throws<ShmException>(() => MemoryFile.OpenFrom(-1, -1));
    }

    [Fact]
    public void A_descriptor_is_inheritable_only_as_long_as_asked_for_and_taken_over_once()
    {
        using var file = MemoryFile.Create("x", _page);
        MemoryFile taken;
        using (var inheritable = file.MakeInheritable())
        {
            Assert.Equal(0, LibC.fcntl(inheritable.Number, LibC.F_GETFD));
            Assert.Equal(LibC.FD_CLOEXEC, LibC.fcntl(file.Descriptor, LibC.F_GETFD));

            // A descriptor as if it had come from a parent: this process has no owner for it.
            var inherited = LibC.dup(inheritable.Number);
            taken = MemoryFile.OpenInherited(inherited);
            Assert.Equal(inherited, taken.Descriptor);
            Assert.Equal(LibC.FD_CLOEXEC, LibC.fcntl(inherited, LibC.F_GETFD));
            Assert.Throws<ArgumentException>(() => MemoryFile.OpenInherited(inherited)); // a second owner would close it twice
        }

        Assert.Equal("x", taken.Name);
        taken.Dispose();
        foreach (var number in (int[])[-1, 0, 1, 2, 1 << 20, file.Descriptor])
        {
            var error = Assert.Throws<ArgumentException>(() => MemoryFile.OpenInherited(number));
            Assert.Contains($"no descriptor {number} that this process inherited", error.Message, StringComparison.Ordinal);
        }
    }

    // Two owners of one number would close it twice, the second time under somebody else.
    [Fact]
    public void What_this_process_holds_itself_was_not_inherited()
    {
        using var file = MemoryFile.Create("x", _page);
        using var inheritable = file.MakeInheritable();
        Assert.Throws<ArgumentException>(() => MemoryFile.OpenInherited(inheritable.Number));
        Assert.Equal(0, LibC.fcntl(inheritable.Number, LibC.F_GETFD));
    }

    [Fact]
    public void A_descriptor_that_is_refused_stays_as_it_was()
    {
        using var zero = File.OpenHandle("/dev/zero");
        using var borrowed = new BorrowedDescriptor(zero);
        var inherited = LibC.dup(borrowed.Number);
        var error = Assert.Throws<ArgumentException>(() => MemoryFile.OpenInherited(inherited));
        Assert.Contains("/dev/zero", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, LibC.fcntl(inherited, LibC.F_GETFD));
        Assert.Equal(0, LibC.close(inherited));
    }

    private static void IsReadOnlyFrom(MemoryFile file)
    {
        Assert.Equal(LibC.EPERM, WriteErrno(file));
        Assert.Equal(LibC.EPERM, MapErrno(file.Handle));
        Assert.Equal(
            LibC.EPERM,
            ErrnoOf(() => LibC.fallocate(file.Descriptor, LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE, 0, _page)));
        using var again = LinuxFile.Reopen(file.Handle); // what a receiver could do
        Assert.Equal(LibC.EPERM, MapErrno(again));
    }

    /// <summary>The errno of a shared mapping for writing, from the kernel itself.</summary>
    private static int MapErrno(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var start = LibC.mmap(null, _page, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED, descriptor.Number, 0);
        if (start == LibC.MAP_FAILED) return LibC.errno;
        _ = LibC.munmap(start, _page);
        return 0;
    }

    private static void CannotBeOpenedUp(MemoryMapping mapping)
    {
        var start = mapping.Whole.Address(0);
        Assert.Equal("r--s", ProcMaps.PermissionsAt(start));
        Assert.Equal(LibC.EACCES, ErrnoOf(() => LibC.mprotect((void*)start, _page, LibC.PROT_READ | LibC.PROT_WRITE)));
        Assert.Equal("r--s", ProcMaps.PermissionsAt(start));
    }

    private static int WriteErrno(MemoryFile file)
    {
        byte value = 1;
        return (long)LibC.pwrite(file.Descriptor, &value, 1, 0) == -1 ? LibC.errno : 0;
    }

    private static int ErrnoOf(Func<int> call) => call() == -1 ? LibC.errno : 0;

    private static void IsRefusedBy(string sentence, Action action) =>
        Assert.Contains(sentence, Assert.Throws<UnauthorizedAccessException>(action).Message, StringComparison.Ordinal);
}
