// A child that lowers its own limits and asks for more memory than they allow: each refusal must name the limit, and no other.

using System.Globalization;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;
using Tmds.Linux;

namespace ShmIpc.ProcessTests.Roles;

internal static unsafe class RefusalRoles
{
    private const int RLIMIT_DATA = 2;
    private const int Private = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
    private const long MiB = 1 << 20;

    public static void Memory(RoleArguments arguments)
    {
        _ = arguments;
        _ = MemoryRefusal.Explain(LibC.ENOMEM, "mmap", new MemoryRequest { LengthBytes = 1 }); // everything is compiled when it gets scarce
        _ = Map(MiB, LibC.PROT_READ, Private);
        Say("RLIMIT_AS", AddressSpace());
        Say("RLIMIT_DATA", Data());
        Say("vm.max_map_count", Mappings());
        RoleArguments.Say("done");
    }

    public static void Advice(RoleArguments arguments)
    {
        _ = arguments;
        var page = LinuxProcess.PageSizeBytes;
        using var mapping = MemoryMapping.MapAnonymous(64 * page);
        mapping.Advise(0, page, MemoryAdvice.DontDump);
        _ = LinuxError.ToException(LibC.EAGAIN, "madvise", "", request: new MemoryRequest { LengthBytes = 1 });

        // What it takes to refuse is compiled now, and has its memory: when there are no more mappings, the runtime gets none.
        var warm = MemoryMapping.MapAnonymous(4 * page);
        _ = LibC.munmap((void*)warm.Whole.Address(page), Size(page));
        Refusal.Require(RefusalOf(() => warm.Advise(0, 4 * page, MemoryAdvice.DontDump)) is ShmException, "a hole was advised about");
        Refusal.Require(GC.TryStartNoGCRegion(32 * MiB), "there are 32 MiB for the collector");

        var errno = TakeAllMappings(out var start, out var lengthBytes);
        Exception? error = null;
        for (var at = 2 * page; error is null && at < 62 * page; at += 2 * page)
        {
            error = RefusalOf(() => mapping.Advise(at, page, MemoryAdvice.DontDump));
        }

        _ = LibC.munmap(start, Size(lengthBytes));
        Refusal.Require(errno == LibC.ENOMEM, $"{LinuxError.NameOf(errno)} instead of ENOMEM");
        Say("vm.max_map_count", error!, "madvise", "EAGAIN", "sysctl");
        mapping.Advise(32 * page, page, MemoryAdvice.DontDump); // there is room again
        RoleArguments.Say("done");

        static Exception? RefusalOf(Action ask)
        {
            try
            {
                ask();
                return null;
            }
            catch (Exception error)
            {
                return error;
            }
        }
    }

    public static void Locking(RoleArguments arguments)
    {
        _ = arguments;
        const long LimitBytes = 65536;
        var start = LibC.mmap(null, Size(MiB), LibC.PROT_READ | LibC.PROT_WRITE, Private, -1, 0);
        Linux.Limit(Linux.RLIMIT_MEMLOCK, (ulong)LimitBytes);
        Refusal.Require(LibC.mlock(start, Size(LimitBytes / 2)) == 0, "half of the limit can be locked");
        Say("RLIMIT_MEMLOCK", Lock("ENOMEM"), $"may lock {LimitBytes} bytes", $"and {LimitBytes / 2} are locked");
        Say("RLIMIT_MEMLOCK", Map(MiB, LibC.PROT_READ, Private | LibC.MAP_LOCKED), "EAGAIN", $"and {LimitBytes / 2} are locked");
        Refusal.Require(LibC.munlock(start, Size(MiB)) == 0, "memory can be unlocked");
        Linux.Limit(Linux.RLIMIT_MEMLOCK, 0);
        Say("RLIMIT_MEMLOCK", Lock("EPERM"), "may lock 0 bytes", "ulimit -l");
        RoleArguments.Say("done");

        Exception Lock(string name)
        {
            Refusal.Require(LibC.mlock(start, Size(MiB)) != 0, "a MiB was locked");
            var errno = LibC.errno;
            Refusal.Require(LinuxError.NameOf(errno) == name, $"{LinuxError.NameOf(errno)} instead of {name}");
            return LinuxError.ToException(errno, "mlock", "1 MiB", request: new MemoryRequest { Address = (nint)start, LengthBytes = MiB });
        }
    }

    public static void Descriptors(RoleArguments arguments)
    {
        _ = arguments;
        _ = LinuxError.ToException(LibC.EMFILE, "memfd_create", "");
        var before = Linux.Limit(Linux.RLIMIT_NOFILE, 1);
        Exception error;
        fixed (byte* name = "x\0"u8)
        {
            Refusal.Require(LibC.memfd_create(name, 0) < 0, "a memfd was made");
            error = LinuxError.ToException(LibC.errno, "memfd_create", "x");
        }

        Linux.Limit(Linux.RLIMIT_NOFILE, before);
        Say("RLIMIT_NOFILE", error, "EMFILE", "RLIMIT_NOFILE lets it, 1:", "ulimit -n");
        RoleArguments.Say("done");
    }

    // Through the public way.
    private static ShmException AddressSpace()
    {
        var taken = MemoryLimits.Read().AddressSpaceBytes!.Value;
        var before = Linux.Limit(Linux.RLIMIT_AS, (ulong)(taken + 64 * MiB));
        try
        {
            MemoryMapping.MapAnonymous(256 * MiB).Dispose();
            throw new InvalidOperationException("256 MiB were mapped");
        }
        catch (ShmException error)
        {
            return error;
        }
        finally
        {
            Linux.Limit(Linux.RLIMIT_AS, before);
        }
    }

    private static Exception Data()
    {
        var taken = MemoryLimits.Read().PrivateMemoryBytes!.Value;
        var before = Linux.Limit(RLIMIT_DATA, (ulong)(taken + 64 * MiB));
        var error = Map(256 * MiB, LibC.PROT_READ | LibC.PROT_WRITE, Private);
        Linux.Limit(RLIMIT_DATA, before);
        return error;
    }

    // Every other page of a range gets another protection, until there are as many mappings as there may be.
    private static Exception Mappings()
    {
        var page = LinuxProcess.PageSizeBytes;
        var errno = TakeAllMappings(out var start, out var lengthBytes);
        _ = LibC.munmap(start, Size(32 * page)); // the runtime needs some to say anything at all
        start += 32 * page;
        lengthBytes -= 32 * page;
        var error = LinuxError.ToException(errno, "mprotect", "a page", request: new MemoryRequest { Address = (nint)start, LengthBytes = page });
        _ = LibC.munmap(start, Size(lengthBytes));
        return error;
    }

    private static int TakeAllMappings(out byte* start, out long lengthBytes)
    {
        var page = LinuxProcess.PageSizeBytes;
        var most = long.Parse(File.ReadAllText("/proc/sys/vm/max_map_count"), CultureInfo.InvariantCulture);
        lengthBytes = (most + 10) * page;
        start = (byte*)LibC.mmap(null, Size(lengthBytes), LibC.PROT_NONE, Private | LibC.MAP_NORESERVE, -1, 0);
        Refusal.Require(start != LibC.MAP_FAILED, "there is address space for a page of each mapping");
        for (var at = page; at < lengthBytes; at += 2 * page)
        {
            if (LibC.mprotect(start + at, Size(page), LibC.PROT_READ) != 0) return LibC.errno;
        }

        throw new InvalidOperationException($"There are more mappings than {most}.");
    }

    private static Exception Map(long lengthBytes, int protection, int flags)
    {
        var start = LibC.mmap(null, Size(lengthBytes), protection, flags, -1, 0);
        var errno = start == LibC.MAP_FAILED ? LibC.errno : 0;
        if (errno == 0) _ = LibC.munmap(start, Size(lengthBytes));
        MemoryRequest request = new() { LengthBytes = lengthBytes, Protection = protection, Flags = flags };
        return LinuxError.ToException(errno, "mmap", $"length {lengthBytes}", request: request);
    }

    // The limit is named, and none of the others.
    private static void Say(string limit, Exception error, params string[] parts)
    {
        Console.Error.WriteLine(error.Message);
        string[] limits = ["RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_MEMLOCK", "RLIMIT_NOFILE", "vm.max_map_count", "control group", "vm.overcommit"];
        foreach (var other in limits)
        {
            Refusal.Require(error.Message.Contains(other, StringComparison.Ordinal) == (other == limit), $"{limit}: {error.Message}");
        }

        foreach (var part in parts) Refusal.Require(error.Message.Contains(part, StringComparison.Ordinal), $"no \"{part}\": {error.Message}");
    }

    private static size_t Size(long bytes) => (size_t)(ulong)bytes;
}
