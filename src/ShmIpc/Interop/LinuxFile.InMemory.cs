// Files in memory that others rely on, and descriptors that programs inherit.

using Microsoft.Win32.SafeHandles;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    /// <summary>Fixes the length of a file in memory for ever, and the seals with it: nobody's truncation ends a process that has it
    /// mapped.</summary>
    public static void SealLength(SafeFileHandle file)
    {
        var failure = TryAddSeals(file, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        if (failure != 0) throw LinuxError.ToException(failure, "fcntl", "F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL");
    }

    /// <summary>Is this a file in memory that nobody can truncate?</summary>
    public static bool HasSealedLength(SafeFileHandle file) => Seals(file) is { } seals && (seals & F_SEAL_SHRINK) != 0;

    /// <summary>Programs that this one starts shall not inherit the descriptor.</summary>
    public static void CloseOnExec(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        if (fcntl(descriptor.Number, F_SETFD, FD_CLOEXEC) != 0)
        {
            throw LinuxError.ToException(errno, "fcntl", $"F_SETFD, FD_CLOEXEC, descriptor {descriptor.Number}");
        }
    }
}
