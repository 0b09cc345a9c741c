// Files that have no name in any file system (memfd): they end with the last descriptor or mapping, and can be sealed.

using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    /// <summary>Makes an empty file in memory that can be sealed. Programs that this one starts do not inherit it.</summary>
    /// <param name="label">What /proc shows, at most 249 bytes; any number of files may have the same.</param>
    public static SafeFileHandle CreateInMemory(string label)
    {
        fixed (byte* name = NullTerminated(label))
        {
            var descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
            return descriptor >= 0
                ? new SafeFileHandle(descriptor, ownsHandle: true)
                : throw LinuxError.ToException(errno, "memfd_create", $"\"{label}\"");
        }
    }

    /// <summary>Fixes the length of a file in memory for ever, and the seals with it: nobody's truncation ends a process that has it
    /// mapped.</summary>
    public static void SealLength(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        if (fcntl(descriptor.Number, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        {
            throw LinuxError.ToException(errno, "fcntl", "F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL");
        }
    }

    /// <summary>Is this a file in memory that nobody can truncate?</summary>
    public static bool HasSealedLength(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var seals = fcntl(descriptor.Number, F_GET_SEALS, 0);
        return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
    }

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
