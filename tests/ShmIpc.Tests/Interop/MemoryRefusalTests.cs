// Why calls of the mmap family are refused: each refusal here is the kernel's own, made in this process; those that need a limit are made in
// children, in ShmIpc.ProcessTests.

using System.Diagnostics;
using ShmIpc.Interop;
using ShmIpc.Memory;
using Tmds.Linux;
using Xunit;
using static ShmIpc.Interop.LibCExtras;

namespace ShmIpc.Tests.Interop;

public sealed unsafe partial class MemoryRefusalTests
{
    private const int SharedAnonymous = 0x21;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly long _page = Environment.SystemPageSize;
    private static readonly long _lowAddress = 0x2000_0000_0000;

    // What the manual pages of Linux list for each call, but for what cannot be meant by anybody here.
    public static TheoryData<string, string> ManualPages { get; } = new()
    {
        { "mmap", "EACCES EAGAIN EBADF EEXIST EINVAL ENFILE ENODEV ENOMEM EOVERFLOW EPERM ETXTBSY" },
        { "munmap", "EINVAL ENOMEM" },
        { "mremap", "EAGAIN EFAULT EINVAL ENOMEM" },
        { "mprotect", "EACCES EINVAL ENOMEM" },
        { "madvise", "EAGAIN EBADF EFAULT EINVAL EIO ENOMEM EPERM EHWPOISON" },
        { "msync", "EBUSY EINVAL ENOMEM" },
        { "mincore", "EFAULT EINVAL ENOMEM" },
        { "mlock", "EAGAIN EINVAL ENOMEM EPERM" },
        { "mlock2", "EAGAIN EINVAL ENOMEM EPERM" },
        { "munlock", "EAGAIN EINVAL ENOMEM EPERM" },
        { "mlockall", "EAGAIN EINVAL ENOMEM EPERM" },
        { "munlockall", "ENOMEM EPERM" },
        { "memfd_create", "EFAULT EINVAL EMFILE ENFILE ENOMEM EPERM" },
        { "ftruncate", "EFBIG EINTR EINVAL EISDIR EPERM ETXTBSY EBADF" },
        { "fallocate", "EBADF EFBIG EINTR EINVAL ENODEV ENOSPC EOPNOTSUPP EPERM ESPIPE ETXTBSY" },
        { "posix_fallocate", "EBADF EFBIG EINTR EINVAL ENODEV ENOSPC EOPNOTSUPP ESPIPE" },
        { "shm_open", "EEXIST EMFILE ENAMETOOLONG ENFILE" },
    };

    [Theory]
    [MemberData(nameof(ManualPages))]
    public void Every_errno_of_the_manual_page_is_explained(string call, string names)
    {
        foreach (var name in names.Split(' '))
        {
            var number = LinuxErrorNames.All.Single(entry => entry.Name == name).Number;
            var explanation = MemoryRefusal.Explain(number, call, default);
            Assert.True(explanation is { Length: > 20 } && explanation.EndsWith('.'), $"{call} {name}: {explanation}");
        }
    }

    [Fact]
    public void No_errno_of_a_call_has_two_rows()
    {
        Assert.Distinct(MemoryRefusal.Rows.SelectMany(row => row.Calls.Split(' ').Select(call => (row.Errno, call))));
        Assert.Null(MemoryRefusal.Explain(LibC.ENOMEM, "futex", default));
        Assert.Null(MemoryRefusal.Explain(LibC.ERANGE, "mmap", default));
    }

    [Fact]
    public void The_document_has_every_errno_of_the_table()
    {
        var document = Architecture.SourceTree.Files.Single(file => file.Path == "docs/memory.md").Text;
        Assert.All(
            MemoryRefusal.Rows.Select(row => LinuxErrorNames.NameOf(row.Errno)).Distinct(),
            name => Assert.Contains($"| `{name}`", document, StringComparison.Ordinal));
    }

    [Fact]
    public void An_offset_or_address_between_pages_is_named()
    {
        using Memfd file = new();
        Refused("EINVAL", "mmap", file.Map(_page, LibC.PROT_READ, LibC.MAP_SHARED, offset: 100), "offset, 100", "begin at 0");
        Refused(
            "EINVAL", "mprotect",
            Call(new() { Address = 0x10001, LengthBytes = _page }, request => LibC.mprotect((void*)request.Address, Size(_page), LibC.PROT_READ)),
            "address, 0x10001", "begin at 0x10000");
    }

    [Fact]
    public void A_range_beyond_the_largest_file_is_named()
    {
        using Memfd file = new();
        Refused("EOVERFLOW", "mmap", file.Map(2 * _page, LibC.PROT_READ, LibC.MAP_SHARED, offset: long.MaxValue - _page + 1), "largest offset");
    }

    [Fact]
    public void More_than_the_address_space_is_named() => Refused(
        "ENOMEM", "mmap", MapAnonymous(new() { LengthBytes = 1L << 48 }), $"{1L << 48} were asked for", "address space");

    [Fact]
    public void A_file_that_was_opened_for_less_is_named()
    {
        using ScratchRoot root = new();
        File.WriteAllBytes(root.FileOf("x"), new byte[_page]);
        using (var reading = File.OpenHandle(root.FileOf("x")))
        {
            int number = (int)reading.DangerousGetHandle();
            Refused("EACCES", "mmap", Map(number, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED), "opened read-only");
            Refused("EINVAL", "ftruncate", Call(new() { Descriptor = number, LengthBytes = 1 }, _ => LibC.ftruncate(number, 1)), "opened read-only");
        }

        using var writing = File.OpenHandle(root.FileOf("x"), FileMode.Open, FileAccess.Write);
        Refused("EACCES", "mmap", Map((int)writing.DangerousGetHandle(), LibC.PROT_READ, LibC.MAP_PRIVATE), "opened write-only");
    }

    [Fact]
    public void A_closed_descriptor_is_named() =>
        Refused("EBADF", "mmap", Map(999_999, LibC.PROT_READ, LibC.MAP_SHARED), "999999 is not open");

    [Fact]
    public void A_file_that_cannot_be_mapped_is_named()
    {
        using var file = LinuxFile.OpenForReading("/proc/self/status");
        Refused("ENODEV", "mmap", Map((int)file.DangerousGetHandle(), LibC.PROT_READ, LibC.MAP_SHARED), "type 0x9FA0", "tmpfs");
        using var directory = LinuxFile.OpenDirectory("/tmp");
        Refused("ENODEV", "mmap", Map((int)directory.DangerousGetHandle(), LibC.PROT_READ, LibC.MAP_SHARED), "a directory");
        var ends = stackalloc int[2];
        Assert.Equal(0, LibC.pipe2(ends, LibC.O_CLOEXEC));
        int end = ends[1];
        Refused("ESPIPE", "posix_fallocate", (LibC.posix_fallocate(end, 0, 1), new() { Descriptor = end }), "a pipe");
        Refused("EINVAL", "ftruncate", Call(new() { Descriptor = end, LengthBytes = 1 }, _ => LibC.ftruncate(end, 1)), "a pipe");
        _ = LibC.close(ends[0]);
        _ = LibC.close(ends[1]);
    }

    [Fact]
    public void A_seal_is_named()
    {
        using Memfd file = new();
        Assert.Equal(0, LibC.fcntl(file.Number, LibC.F_ADD_SEALS, LibC.F_SEAL_WRITE | LibC.F_SEAL_GROW | LibC.F_SEAL_SEAL));
        Refused("EPERM", "mmap", file.Map(_page, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED), "F_SEAL_WRITE: never written to");
        Refused(
            "EPERM", "ftruncate", Call(new() { Descriptor = file.Number, LengthBytes = 1 << 20 }, _ => LibC.ftruncate(file.Number, 1 << 20)),
            "F_SEAL_GROW: never longer");
        Refused(
            "EPERM", "fcntl", Call(new() { Descriptor = file.Number }, _ => LibC.fcntl(file.Number, LibC.F_ADD_SEALS, LibC.F_SEAL_SHRINK)),
            "F_SEAL_SEAL: no more seals");
    }

    [Fact]
    public void A_writable_mapping_is_named_that_keeps_a_memfd_from_being_sealed()
    {
        using Memfd file = new();
        void* start = LibC.mmap(null, Size(_page), LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED, file.Number, 0);
        Assert.True(start != LibC.MAP_FAILED);
        Refused(
            "EBUSY", "fcntl", Call(new() { Descriptor = file.Number }, _ => LibC.fcntl(file.Number, LibC.F_ADD_SEALS, LibC.F_SEAL_WRITE)),
            "mapped writable", "F_SEAL_FUTURE_WRITE");
        _ = LibC.munmap(start, Size(_page));
    }

    [Fact]
    public void A_mount_without_execution_is_named()
    {
        using ScratchRoot root = new();
        using var file = File.OpenHandle(root.FileOf("x"), FileMode.CreateNew, FileAccess.ReadWrite);
        RandomAccess.SetLength(file, _page);
        var mapped = Map((int)file.DangerousGetHandle(), LibC.PROT_READ | LibC.PROT_EXEC, LibC.MAP_SHARED);
        Assert.SkipWhen(mapped.Errno == 0, $"{root.Path} is not mounted noexec.");
        Refused("EPERM", "mmap", mapped, "mounted noexec");
    }

    [Fact]
    public void What_is_mapped_already_is_named_and_what_is_not_too()
    {
        using Memfd file = new();
        var start = (nint)(_lowAddress + (1L << 30)); // as below, and not in its way
        var mapped = LibC.mmap((void*)start, Size(3 * _page), LibC.PROT_READ, LibC.MAP_SHARED | LibC.MAP_FIXED_NOREPLACE, file.Number, 0);
        Assert.Equal(start, (nint)mapped);
        Assert.Equal(0, LibC.munmap((void*)(start + (nint)_page), Size(_page)));
        MemoryRequest whole = new() { Address = start, LengthBytes = 3 * _page };
        Refused(
            "EEXIST", "mmap", MapAnonymous(whole with { Flags = LibC.MAP_FIXED_NOREPLACE }), $"from 0x{start:x} to 0x{start + (nint)_page:x}",
            "memfd:refused");

        string gap = $"mapped at address 0x{start + (nint)_page:x}, {_page} bytes from";
        Refused("ENOMEM", "mprotect", Call(whole, at => LibC.mprotect((void*)at.Address, Size(at.LengthBytes), LibC.PROT_READ)), gap);
        Refused("ENOMEM", "msync", Call(whole, at => LibC.msync((void*)at.Address, Size(at.LengthBytes), LibC.MS_SYNC)), gap);
        Refused("ENOMEM", "madvise", Call(whole, at => LibC.madvise((void*)at.Address, Size(at.LengthBytes), MADV_POPULATE_READ)), gap);
        Refused("ENOMEM", "mlock", Call(whole, at => LibC.mlock((void*)at.Address, Size(at.LengthBytes))), gap);
        Refused(
            "EFAULT", "mremap",
            Call(whole, at => LibC.mremap((void*)at.Address, Size(at.LengthBytes), Size(8 * _page), LibC.MREMAP_MAYMOVE, null) == LibC.MAP_FAILED ? -1 : 0),
            gap);
        _ = LibC.munmap((void*)start, Size(3 * _page));
    }

    [Fact]
    public void An_address_that_is_too_low_is_named()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "Root may map the lowest addresses.");
        Refused(
            "EPERM", "mmap", MapAnonymous(new() { Address = 0, LengthBytes = _page, Flags = LibC.MAP_FIXED_NOREPLACE }), "vm.mmap_min_addr");
    }

    [Fact]
    public void A_program_that_runs_is_named()
    {
        string program = Path.Combine(Path.GetTempPath(), $"shmipc-test-{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            // Copied by somebody else: a process that another test starts meanwhile would have our descriptor of the copy for a moment,
            // and what somebody writes cannot be run.
            using (var copying = Process.Start("cp", ["/bin/sleep", program]))
            {
                Assert.True(copying.WaitForExit(_patience));
                Assert.Equal(0, copying.ExitCode);
            }

            fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(program + '\0'))
            {
                Assert.SkipUnless(
                    LibC.faccessat(LibC.AT_FDCWD, name, LibC.X_OK, 0) == 0, $"{program} cannot be run: its directory is mounted with noexec.");
                using var running = Process.Start(new ProcessStartInfo(program, ["600"]))!;
                try
                {
                    int descriptor = -1;
                    var clock = Stopwatch.StartNew();
                    while (clock.Elapsed < _patience && (descriptor = LibC.open(name, LibC.O_RDWR)) >= 0)
                    {
                        _ = LibC.close(descriptor); // it has not become the program yet
                        Thread.Sleep(10);
                    }

                    Refused("ETXTBSY", "open", (LibC.errno, default), "rename it over");
                }
                finally
                {
                    running.Kill();
                    running.WaitForExit();
                }
            }
        }
        finally
        {
            File.Delete(program);
        }
    }

    [Fact]
    public void A_full_file_system_is_named_with_its_room()
    {
        using SmallTmpfs small = new();
        using var file = small.NewFile();
        int number = (int)file.DangerousGetHandle();
        int errno = LibC.posix_fallocate(number, 0, 2 * SmallTmpfs.SizeBytes);
        Refused("ENOSPC", "posix_fallocate", (errno, new() { Descriptor = number }), $"bytes free of {SmallTmpfs.SizeBytes}");
    }

    [Fact]
    public void An_empty_pool_of_huge_pages_is_named()
    {
        var pool = MemoryLimits.Read().HugePagePools.FirstOrDefault(pool => pool.Available == 0 && pool.MostSurplus == 0);
        Assert.SkipWhen(pool is null, "This machine has huge pages of every size, or of none.");
        int flags = LibC.MAP_HUGETLB | System.Numerics.BitOperations.Log2((ulong)pool.PageSizeBytes) << LibC.MAP_HUGE_SHIFT;
        Refused(
            "ENOMEM", "mmap",
            MapAnonymous(new() { LengthBytes = 3 * pool.PageSizeBytes, HugePageBytes = pool.PageSizeBytes, Flags = flags }),
            $"3 huge pages of {pool.PageSizeBytes} bytes are needed, and 0 are free", "nr_hugepages");
        var unknown = MemoryRefusal.Explain(LibC.ENOMEM, "mmap", new MemoryRequest { LengthBytes = 4096, HugePageBytes = 12 << 10 });
        Assert.Contains("This kernel has no huge pages of 12288 bytes", unknown, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_that_the_machine_can_never_meet_is_named()
    {
        Assert.SkipUnless(MemoryLimits.Read().Overcommit == OvercommitMode.Heuristic, "vm.overcommit_memory is not 0 here.");
        Refused(
            "ENOMEM", "mmap", MapAnonymous(new() { LengthBytes = 1L << 46, Flags = LibC.MAP_PRIVATE, Protection = LibC.PROT_READ | LibC.PROT_WRITE }),
            "vm.overcommit_memory=0");
    }

    [Fact]
    public void Locked_memory_is_named_that_cannot_be_invalidated()
    {
        using Memfd file = new();
        void* start = LibC.mmap(null, Size(_page), LibC.PROT_READ, LibC.MAP_SHARED, file.Number, 0);
        Assert.SkipUnless(LibC.mlock(start, Size(_page)) == 0, "Nothing may be locked here.");
        Refused("EBUSY", "msync", Call(default, _ => LibC.msync(start, Size(_page), LibC.MS_INVALIDATE)), "locked", "unlock it first");
        _ = LibC.munmap(start, Size(_page));
    }

    [Fact]
    public void What_is_not_the_cause_is_not_told()
    {
        var text = MemoryRefusal.Explain(LibC.ENOMEM, "mmap", new MemoryRequest { LengthBytes = 4096, Flags = SharedAnonymous })!;
        Assert.DoesNotContain("RLIMIT", text, StringComparison.Ordinal);
        Assert.DoesNotContain("sysctl", text, StringComparison.Ordinal);
        Assert.EndsWith("Try again, or map less.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_public_way_tells_the_same()
    {
        var error = Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapAnonymous(1L << 46));
        Assert.Contains("bytes of memory were asked for", error.Message, StringComparison.Ordinal);
    }

    // Far below where the kernel looks first for room, so that nobody else's memory comes into the hole.
    [Fact]
    public void A_hole_in_a_mapping_is_named_by_whatever_is_asked_of_it()
    {
        using Memfd file = new();
        using var mapping = MemoryMapping.MapFile($"/proc/self/fd/{file.Number}", new() { Address = (nint)_lowAddress });
        nint start = mapping.Read(0, 1, bytes =>
        {
            fixed (byte* first = bytes) return (nint)first;
        });
        nint hole = start + (nint)_page;
        Assert.Equal(0, LibC.munmap((void*)hole, Size(_page)));
        try
        {
            (string Call, Action Ask)[] asked =
            [
                ("mprotect", () => mapping.Protect(0, 3 * _page, MemoryAccess.ReadOnly)),
                ("madvise", () => mapping.Advise(0, 3 * _page, MemoryAdvice.WillNeed)),
                ("msync", () => mapping.Flush(0, 3 * _page)),
                ("mlock2", () => mapping.Lock()),
            ];
            foreach (var (call, ask) in asked)
            {
                var message = Assert.ThrowsAny<ShmException>(ask).Message;
                Assert.StartsWith(call, message, StringComparison.Ordinal);
                Assert.Contains($"Nothing is mapped at address 0x{hole:x}, {_page} bytes from", message, StringComparison.Ordinal);
            }
        }
        finally
        {
            Assert.NotEqual(-1, (nint)LibC.mmap((void*)hole, Size(_page), 0, SharedAnonymous | LibC.MAP_FIXED_NOREPLACE, -1, 0));
        }
    }

    private static void Refused(string name, string operation, (int Errno, MemoryRequest Request) call, params string[] parts)
    {
        Assert.Equal(name, LinuxError.NameOf(call.Errno));
        var message = LinuxError.ToException(call.Errno, operation, "x", request: call.Request).Message;
        Assert.StartsWith($"{operation}(x) failed: {name} (", message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private static (int Errno, MemoryRequest Request) Call(MemoryRequest request, Func<MemoryRequest, int> call) =>
        (call(request) < 0 ? LibC.errno : 0, request);

    private static (int Errno, MemoryRequest Request) Map(int descriptor, int protection, int flags) =>
        MapAnonymous(new() { Descriptor = descriptor, LengthBytes = _page, Protection = protection, Flags = flags });

    private static (int Errno, MemoryRequest Request) MapAnonymous(MemoryRequest request) => Call(request, at =>
    {
        int flags = at.Descriptor is not null ? at.Flags
            : (at.Flags & LibC.MAP_PRIVATE) != 0 ? LibC.MAP_ANONYMOUS | at.Flags
            : SharedAnonymous | at.Flags;
        void* start = LibC.mmap((void*)at.Address, Size(at.LengthBytes), at.Protection, flags, at.Descriptor ?? -1, at.Offset);
        if (start == LibC.MAP_FAILED) return -1;
        _ = LibC.munmap(start, Size(at.LengthBytes));
        return 0;
    });

    private static size_t Size(long bytes) => (size_t)(ulong)bytes;

    private sealed class Memfd : IDisposable
    {
        public Memfd()
        {
            fixed (byte* name = "refused\0"u8) Number = LibC.memfd_create(name, (uint)(LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING));
            Assert.True(Number >= 0 && LibC.ftruncate(Number, 4 * _page) == 0);
        }

        public int Number { get; }

        public (int Errno, MemoryRequest Request) Map(long lengthBytes, int protection, int flags, long offset = 0) => MapAnonymous(
            new() { Descriptor = Number, LengthBytes = lengthBytes, Protection = protection, Flags = flags, Offset = offset });

        public void Dispose() => _ = LibC.close(Number);
    }
}
