// The one place where an errno becomes an exception: what was tried, with which arguments, what the number means, what to do about it.
// It decides the exception's type by the number alone; callers that know more (sizes, names) pass it in the arguments or the cure.

using System.Runtime.InteropServices;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static class LinuxError
{
    /// <summary>The errno of the libc call that this thread made last. Read it before anything else runs.</summary>
    public static int LastErrno => errno;

    /// <summary>The exception for a failed call: <see cref="UnauthorizedAccessException"/> for missing permission,
    /// <see cref="ShmNoSpaceException"/> for a full file system, <see cref="ShmException"/> otherwise.</summary>
    /// <param name="errno">The error number.</param>
    /// <param name="operation">The C function's name.</param>
    /// <param name="arguments">Its arguments as a reader wants them, such as <c>length 8192</c>.</param>
    /// <param name="cure">What to do about it, as a sentence; null for what is found on the spot, or the general advice on this
    /// number.</param>
    /// <param name="request">For the calls of the mmap family: what was asked for, so that the likely causes can be checked.</param>
    public static Exception ToException(int errno, string operation, string arguments, string? cure = null, MemoryRequest request = default)
    {
        cure ??= MemoryRefusal.Explain(errno, operation, request) ?? CureOf(errno);
        var message = $"{Describe(errno, operation, arguments)} {cure}".TrimEnd();
        if (errno == EACCES || errno == EPERM)
        {
            return new UnauthorizedAccessException(message);
        }

        if (errno == ENOSPC || errno == EDQUOT)
        {
            return new ShmNoSpaceException(message, requestedBytes: -1, availableBytes: -1) { ErrorNumber = errno };
        }

        return new ShmException(message) { ErrorNumber = errno };
    }

    /// <summary>The first half of every message: <c>mmap(length 8192) failed: ENOMEM (12, Cannot allocate memory).</c></summary>
    public static string Describe(int errno, string operation, string arguments) =>
        $"{operation}({arguments}) failed: {NameOf(errno)} ({errno}, {Marshal.GetPInvokeErrorMessage(errno)}).";

    /// <summary>C's name of an error number, such as <c>ENOENT</c>.</summary>
    public static string NameOf(int errno) => LinuxErrorNames.NameOf(errno);

    private static string CureOf(int errno)
    {
        if (errno == ENOMEM) return "The kernel is short of memory: free some, or ask for less.";
        if (errno == EMFILE)
        {
            return $"The process has as many files open as RLIMIT_NOFILE lets it: {LinuxLimits.Text(RLIMIT_NOFILE, "")}; raise it with " +
                "`ulimit -n`.";
        }

        if (errno == ETOOMANYREFS)
        {
            return "Descriptors that were sent and not received yet are counted for their user, and may be as many as RLIMIT_NOFILE " +
                $"lets it: {LinuxLimits.Text(RLIMIT_NOFILE, "")}; raise it with `ulimit -n`, or send fewer at a time.";
        }

        if (errno == ENFILE) return "The whole machine has as many files open as it may (fs.file-max).";
        if (errno == EACCES) return "This user may not do that: check owner and mode of the file and of the directories above it.";
        if (errno == EPERM) return "The kernel forbids it to this process: check owner, seals and policies (seccomp, SELinux, AppArmor).";
        if (errno == ENOSPC) return "The file system is full: free space, enlarge it, or ask for less.";
        if (errno == EDQUOT) return "The user's disk quota is used up: free space, or ask for less.";
        if (errno == EFBIG)
        {
            return "The file would be larger than the file system allows, or than this process may make one " +
                $"(`ulimit -f`, RLIMIT_FSIZE, is {LinuxLimits.Text(RLIMIT_FSIZE, " bytes")}).";
        }

        if (errno == ENOENT) return "Nothing has that name.";
        if (errno == ENOTDIR) return "Part of the path is not a directory, or is a symbolic link where none is allowed.";
        if (errno == ELOOP) return "The name is a symbolic link, which is never followed here.";
        if (errno == EROFS) return "The file system is mounted read-only: use a directory on another one, or remount it writable.";
        if (errno == EIO)
        {
            return "The disk could not write. What was not durable before may be lost, and a second attempt would not find it: check the " +
                "disk (kernel log), then open the channel anew.";
        }

        if (errno == ENOSYS) return "This kernel does not have that system call.";
        if (errno == EOPNOTSUPP) return "The file system cannot do that; use tmpfs (/dev/shm), ext4, xfs or btrfs.";
        if (errno == EBADF) return "The descriptor is closed, or was not opened for this kind of access.";
        if (errno == ENOLCK) return "The kernel or the file system can hold no more locks.";
        if (errno == ENODEV) return "The file is of a kind that cannot be mapped.";
        return "";
    }
}
