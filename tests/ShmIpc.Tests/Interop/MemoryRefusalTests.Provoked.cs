// The errnos that take more than an argument to provoke, and a list of where each one of the table is provoked.

using ShmIpc.Interop;
using ShmIpc.Memory;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed unsafe partial class MemoryRefusalTests
{
    private const int SharedValidateSync = 0x80003; // MAP_SHARED_VALIDATE | MAP_SYNC
    private const int ZeroRange = 0x10; // FALLOC_FL_ZERO_RANGE
    private const int LongestName = 255;
    private const string InProcess = "tests/ShmIpc.Tests/Interop/MemoryRefusalTests.cs";
    private const string Here = "tests/ShmIpc.Tests/Interop/MemoryRefusalTests.Provoked.cs";
    private const string InChildren = "tests/ShmIpc.ProcessTests/Faults/RefusalTests.cs";

    // Where the kernel itself is made to give it, or (below) why not.
    private static readonly Dictionary<int, (string File, string Test)> _provoked = new()
    {
        [LibC.EACCES] = (InProcess, nameof(A_file_that_was_opened_for_less_is_named)),
        [LibC.EAGAIN] = (InChildren, "Advice_that_takes_one_mapping_too_many_is_refused_at_once"),
        [LibC.EBADF] = (InProcess, nameof(A_closed_descriptor_is_named)),
        [LibC.EBUSY] = (InProcess, nameof(Locked_memory_is_named_that_cannot_be_invalidated)),
        [LibC.EEXIST] = (InProcess, nameof(What_is_mapped_already_is_named_and_what_is_not_too)),
        [LibC.EFAULT] = (InProcess, nameof(What_is_mapped_already_is_named_and_what_is_not_too)),
        [LibC.EFBIG] = (Here, nameof(A_file_that_is_too_long_for_its_file_system_is_named)),
        [LibC.EINVAL] = (InProcess, nameof(An_offset_or_address_between_pages_is_named)),
        [LibC.EIO] = (Here, nameof(A_disk_that_cannot_write_is_named)),
        [LibC.EISDIR] = (Here, nameof(What_cannot_be_opened_is_named)),
        [LibC.EMFILE] = (InChildren, "The_limit_of_descriptors_is_named"),
        [LibC.ENAMETOOLONG] = (Here, nameof(What_cannot_be_opened_is_named)),
        [LibC.ENODEV] = (InProcess, nameof(A_file_that_cannot_be_mapped_is_named)),
        [LibC.ENOMEM] = (InChildren, "The_limit_of_addresses_of_private_memory_and_of_mappings_is_named"),
        [LibC.ENOSPC] = (InProcess, nameof(A_full_file_system_is_named_with_its_room)),
        [LibC.ENXIO] = (Here, nameof(What_cannot_be_opened_is_named)),
        [LibC.EOPNOTSUPP] = (Here, nameof(What_the_file_system_cannot_do_is_named)),
        [LibC.EOVERFLOW] = (InProcess, nameof(A_range_beyond_the_largest_file_is_named)),
        [LibC.EPERM] = (InProcess, nameof(A_seal_is_named)),
        [LibC.ESPIPE] = (InProcess, nameof(A_file_that_cannot_be_mapped_is_named)),
        [LibC.ETXTBSY] = (InProcess, nameof(A_program_that_runs_is_named)),
    };

    public static TheoryData<int, string> NotProvoked { get; } = new()
    {
        { LibC.ENFILE, "fs.file-max counts the files of the whole machine, no namespace has one of its own, and root may pass it." },
        { LibC.EHWPOISON, "MADV_HWPOISON takes a page of memory from the machine until it is started anew." },
        { LibC.EINTR, "Every call that a signal can interrupt is repeated, so that nobody is ever told." },
    };

    [Fact]
    public void Every_errno_of_the_table_is_provoked_or_it_is_said_why_not()
    {
        Assert.Equal(
            MemoryRefusal.Rows.Select(row => LinuxError.NameOf(row.Errno)).Distinct().Order(),
            _provoked.Keys.Concat(NotProvoked.Select(row => row.Data.Item1)).Select(LinuxError.NameOf).Order());
        foreach (var (file, test) in _provoked.Values)
        {
            Assert.Contains($"void {test}(", Architecture.SourceTree.Files.Single(source => source.Path == file).Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(NotProvoked))]
    public void What_no_test_provokes(int errno, string reason) => Assert.Skip($"{LinuxError.NameOf(errno)}: {reason}");

    [Fact]
    public void What_cannot_be_opened_is_named()
    {
        using ScratchRoot root = new();
        var pipe = root.FileOf("pipe");
        fixed (byte* name = Terminated(pipe)) Assert.Equal(0, LibC.mknod(name, (mode_t)0x1180u, default)); // S_IFIFO, 0600
        Refused("ENXIO", "open", Open(pipe, LibC.O_WRONLY | LibC.O_NONBLOCK), "other end");
        Refused("EISDIR", "open", Open(root.Path, LibC.O_RDWR), "a directory");
        Refused("ENAMETOOLONG", "open", Open(root.FileOf(new string('x', LongestName + 1)), LibC.O_RDONLY), "255 bytes");
        Refused("EEXIST", "open", Open(pipe, LibC.O_CREAT | LibC.O_EXCL | LibC.O_RDWR), "taken");
        var error = Assert.ThrowsAny<ShmException>(() => LinuxFile.OpenForReading(root.FileOf(new string('x', LongestName + 1))));
        Assert.Contains("255 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_file_system_cannot_do_is_named()
    {
        using Memfd file = new();
        Refused("EOPNOTSUPP", "mmap", file.Map(_page, LibC.PROT_READ, SharedValidateSync), "type 0x1021994", "cannot do that");
        Refused(
            "EOPNOTSUPP", "fallocate",
            Call(new() { Descriptor = file.Number, LengthBytes = _page }, at => LibC.fallocate(file.Number, ZeroRange, 0, at.LengthBytes)),
            "type 0x1021994");
    }

    [Fact]
    public void A_file_that_is_too_long_for_its_file_system_is_named()
    {
        const long TooLong = long.MaxValue - 4095;
        using DiskRoot root = new();
        using var file = File.OpenHandle(root.FileOf("x"), FileMode.CreateNew, FileAccess.ReadWrite);
        int number = (int)file.DangerousGetHandle();
        var refused = Call(new() { Descriptor = number, LengthBytes = TooLong }, _ => LibC.ftruncate(number, TooLong));
        Assert.SkipWhen(refused.Errno == 0, $"The file system of {root.Path} has no limit to the length of a file.");
        Refused("EFBIG", "ftruncate", refused, "larger than its file system allows");
        Assert.Equal(LibC.EFBIG, Assert.Throws<ShmException>(() => LinuxFile.SetLength(file, TooLong)).ErrorNumber);
    }

    [Fact]
    public void A_disk_that_cannot_write_is_named()
    {
        const long FileBytes = 8 << 20;
        using SmallTmpfs small = new();
        using LoopDisk disk = new(small.Path, sizeBytes: 2 * FileBytes);
        using var file = File.OpenHandle(Path.Combine(disk.Path, "x"), FileMode.CreateNew, FileAccess.ReadWrite);
        using var mapping = MemoryMapping.MapFile(file, 0, FileBytes);
        for (var at = 0L; at < FileBytes; at += _page) mapping.Write(at, 1);
        disk.Shrink(1 << 19);
        var error = Assert.Throws<ShmException>(() => mapping.Flush());
        Assert.Equal(LibC.EIO, error.ErrorNumber);
        Assert.StartsWith("msync(", error.Message, StringComparison.Ordinal);
        Assert.Contains("The disk could not write", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_promises_no_more_is_named()
    {
        var limits = MemoryLimits.Read();
        Assert.SkipUnless(
            limits.Overcommit == OvercommitMode.Never,
            "vm.overcommit_memory is not 2 here, and it is the whole machine's setting.");
        var tooMuch = limits.CommitLimitBytes!.Value + (1L << 30);
        Refused(
            "ENOMEM", "mmap",
            MapAnonymous(new() { LengthBytes = tooMuch, Flags = LibC.MAP_PRIVATE, Protection = LibC.PROT_READ | LibC.PROT_WRITE }),
            "vm.overcommit_memory=2");
    }

    private static (int Errno, MemoryRequest Request) Open(string path, int flags)
    {
        fixed (byte* name = Terminated(path))
        {
            var descriptor = LibC.open(name, flags, (mode_t)0u);
            var errno = descriptor < 0 ? LibC.errno : 0;
            if (descriptor >= 0) _ = LibC.close(descriptor);
            return (errno, default);
        }
    }

    private static byte[] Terminated(string path) => System.Text.Encoding.UTF8.GetBytes(path + '\0');
}
