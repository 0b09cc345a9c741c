// Is it the file: how it is open, of which kind it is, its seals, its file system; or that there are too many? Each check answers with a
// sentence and the cure, or null when that is not it, or the caller did not say which file it was.

using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class DescriptorChecks
{
    private const uint TypeMask = 0xF000;      // S_IFMT
    private const uint RegularFile = 0x8000;   // S_IFREG

    public static string? OpenMode(MemoryRequest request)
    {
        if (request.Descriptor is not { } descriptor) return null;
        var flags = fcntl(descriptor, F_GETFL);
        if (flags < 0) return errno == EBADF ? $"Descriptor {descriptor} is not open: it was closed, or never was one." : null;
        var mode = flags & O_ACCMODE;
        if (mode == O_RDWR) return null;
        var isMapped = request.Flags != 0 || request.Protection != 0;
        if (mode == O_WRONLY)
        {
            return isMapped ? "The file was opened write-only, and mapped memory is always readable: open it for reading too." : null;
        }

        var isPrivate = (request.Flags & MAP_PRIVATE) != 0;
        return isMapped && (isPrivate || (request.Protection & PROT_WRITE) == 0)
            ? null
            : "The file was opened read-only: open it for reading and writing.";
    }

    public static string? NotRegular(MemoryRequest request)
    {
        stat status;
        if (request.Descriptor is not { } descriptor || fstat(descriptor, &status) != 0) return null;
        var kind = ((uint)status.st_mode & TypeMask) switch
        {
            0x1000 => "a pipe",
            0x2000 => "a character device",
            0x4000 => "a directory",
            0x6000 => "a block device",
            0xC000 => "a socket",
            RegularFile or 0 => null, // an eventfd and its like have no type
            _ => "a link",
        };
        return kind is null ? null : $"The file is {kind}, not a regular file: use one, or a memfd.";
    }

    public static string? FileSystem(MemoryRequest request)
    {
        LibCExtras.statfs status;
        return request.Descriptor is { } descriptor && fstatfs(descriptor, &status) == 0
            ? $"The file system that holds the file (type 0x{status.f_type:X}) cannot do that: use a file on tmpfs (/dev/shm), ext4, " +
                "xfs or btrfs."
            : null;
    }

    public static string? NotExecutable(MemoryRequest request)
    {
        statvfs status;
        return (request.Protection & PROT_EXEC) != 0 && request.Descriptor is { } descriptor
            && fstatvfs(descriptor, &status) == 0 && ((ulong)status.f_flag & (ulong)ST_NOEXEC) != 0
            ? "The file is on a file system that is mounted noexec, and executable memory was asked for: use a file elsewhere, or a memfd."
            : null;
    }

    public static string? Seals(MemoryRequest request)
    {
        if (request.Descriptor is not { } descriptor) return null;
        var seals = fcntl(descriptor, F_GET_SEALS);
        if (seals <= 0) return null;
        (int Bit, string Name)[] all =
        [
            (F_SEAL_SEAL, "F_SEAL_SEAL: no more seals"), (F_SEAL_SHRINK, "F_SEAL_SHRINK: never shorter"),
            (F_SEAL_GROW, "F_SEAL_GROW: never longer"), (F_SEAL_WRITE, "F_SEAL_WRITE: never written to"),
            (F_SEAL_FUTURE_WRITE, "F_SEAL_FUTURE_WRITE: written to by earlier mappings only"),
        ];
        var set = string.Join("; ", all.Where(seal => (seals & seal.Bit) != 0).Select(seal => seal.Name));
        return set.Length == 0 ? null : $"The memfd is sealed ({set}), and no seal can be taken off: make a new one.";
    }

    public static string? FileSizeLimit(MemoryRequest request) =>
        LinuxLimits.Soft(RLIMIT_FSIZE) is { } limit && (request.LengthBytes == 0 || request.LengthBytes > limit - request.Offset)
            ? $"A file that this process writes may have {limit} bytes (RLIMIT_FSIZE): raise it with `ulimit -f`, or ask for less."
            : null;

    public static string? Room(MemoryRequest request)
    {
        statvfs status;
        if (request.Descriptor is not { } descriptor || fstatvfs(descriptor, &status) != 0) return null;
        var total = (UInt128)(ulong)status.f_blocks * (ulong)status.f_frsize;
        var free = (UInt128)(ulong)status.f_bavail * (ulong)status.f_frsize;
        return $"The file system has {free} bytes free of {total}: ask for less, remove what is no longer used, or enlarge it (for " +
            "/dev/shm: `mount -o " +
            "remount,size=2G /dev/shm`, in a container `docker run --shm-size=2g`).";
    }

    public static string? OpenFiles(MemoryRequest request)
    {
        _ = request; // counting them would need a descriptor, and there is none
        return LinuxLimits.Soft(RLIMIT_NOFILE) is { } limit
            ? $"The process has as many files open as RLIMIT_NOFILE lets it, {limit}: raise it with `ulimit -n` or `LimitNOFILE=`, or " +
                "close some."
            : null;
    }

    public static string? MachineFiles(MemoryRequest request)
    {
        _ = request;
        return KernelFile.Text("/proc/sys/fs/file-nr")?.Split('\t') is [var open, _, var most]
            ? $"The whole machine has {open} files open, of {most.Trim()} that it may (fs.file-max): raise that with `sysctl`, or end " +
                "who holds them."
            : null;
    }
}
