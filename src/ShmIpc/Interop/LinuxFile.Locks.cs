// Locks on ranges of a file that belong to the open file description (F_OFD_*): the kernel drops them when the last descriptor of that
// description closes, at whatever death. A description never sees its own locks, so who asks does it through another one.
// As for the kernel, a length of 0 reaches to the end of the file, however far that moves.

using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    private const int SEEK_SET = 0;

    /// <summary>Takes the lock, or says false when another description holds one that conflicts. Never waits. What this description
    /// holds of the range already changes its kind, at one instant; a refused change leaves it as it was.</summary>
    public static bool TryLock(SafeFileHandle file, long offset, long lengthBytes, bool exclusive)
    {
        CrashPoint.BeforeCall("lock");
        var failure = LockCall(file, F_OFD_SETLK, exclusive ? F_WRLCK : F_RDLCK, offset, lengthBytes, out _);
        if (failure == 0) return true;
        if (failure == EAGAIN || failure == EACCES) return false;
        throw LockError(failure, "F_OFD_SETLK", offset, lengthBytes);
    }

    /// <summary>Gives back what this description holds of the range; nothing held is fine.</summary>
    public static void Unlock(SafeFileHandle file, long offset, long lengthBytes)
    {
        CrashPoint.BeforeCall("unlock");
        var failure = LockCall(file, F_OFD_SETLK, F_UNLCK, offset, lengthBytes, out _);
        if (failure != 0) throw LockError(failure, "F_OFD_SETLK, F_UNLCK", offset, lengthBytes);
    }

    /// <summary>Would an exclusive lock be refused to this description? Asks only, and takes nothing.</summary>
    public static bool IsLocked(SafeFileHandle file, long offset, long lengthBytes) =>
        FindLock(file, offset, lengthBytes, exclusive: true) is not null;

    /// <summary>One of the locks for which this description would be refused its own, or null. Asks only, and takes nothing.</summary>
    public static FoundLock? FindLock(SafeFileHandle file, long offset, long lengthBytes, bool exclusive)
    {
        var failure = LockCall(file, F_OFD_GETLK, exclusive ? F_WRLCK : F_RDLCK, offset, lengthBytes, out var found);
        if (failure != 0) throw LockError(failure, "F_OFD_GETLK", offset, lengthBytes);
        return found.l_type == F_UNLCK ? null : new FoundLock(found.l_type == F_WRLCK, found.l_start, found.l_len, found.l_pid);
    }

    /// <summary>Opens a description of its own, for locks, of the file that a path leads to. Never blocks, and makes no file.</summary>
    /// <returns>Null where that is a directory.</returns>
    public static SafeFileHandle? OpenToLock(string path, bool writable) => OpenToLock(path, writable ? O_RDWR : O_RDONLY);

    /// <summary>The same for a file that is open, with the access that it is open for.</summary>
    public static SafeFileHandle? OpenToLock(SafeFileHandle file)
    {
        var access = OpenFlags(file) & O_ACCMODE;
        using var descriptor = new BorrowedDescriptor(file);
        return OpenToLock(DescriptorPath(descriptor.Number), access);
    }

    /// <summary>The name under which a file was opened, as far as the kernel says it, for messages.</summary>
    public static string NameOf(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return NameIn(descriptor, "");
    }

    private static SafeFileHandle? OpenToLock(string path, int access)
    {
        var file = TryOpen(AT_FDCWD, path, access | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, out var failure);
        if (file is not null || failure == EISDIR) return file;
        var name = access == O_RDWR ? "O_RDWR" : access == O_RDONLY ? "O_RDONLY" : "O_WRONLY";
        throw LinuxError.ToException(failure, "open", $"\"{path}\", {name}");
    }

    private static int LockCall(SafeFileHandle file, int command, int type, long offset, long lengthBytes, out flock found)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        using var descriptor = new BorrowedDescriptor(file);
        int failure;
        flock range;
        do
        {
            range = new flock { l_type = (short)type, l_whence = SEEK_SET, l_start = offset, l_len = lengthBytes };
            failure = fcntl(descriptor.Number, command, &range) == 0 ? 0 : errno;
        }
        while (failure == EINTR);
        found = range;
        return failure;
    }

    private static Exception LockError(int failure, string command, long offset, long lengthBytes) =>
        LinuxError.ToException(failure, "fcntl", $"{command}, offset {offset}, length {lengthBytes}");
}
