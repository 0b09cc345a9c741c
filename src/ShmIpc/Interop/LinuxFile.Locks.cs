// Locks on ranges of a file that belong to the open file description (F_OFD_*): the kernel drops them when the last descriptor of that
// description closes, at whatever death. A description never sees its own locks, so IsLocked asks through another one.

using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    /// <summary>Takes the lock, or says false when another description holds one that conflicts. Never waits.</summary>
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
    public static bool IsLocked(SafeFileHandle file, long offset, long lengthBytes)
    {
        var failure = LockCall(file, F_OFD_GETLK, F_WRLCK, offset, lengthBytes, out var foundType);
        return failure == 0 ? foundType != F_UNLCK : throw LockError(failure, "F_OFD_GETLK", offset, lengthBytes);
    }

    private static int LockCall(SafeFileHandle file, int command, int type, long offset, long lengthBytes, out int foundType)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes); // 0 would mean: to the end of the file, wherever that is
        using var descriptor = new BorrowedDescriptor(file);
        int failure;
        flock range;
        do
        {
            range = new flock { l_type = (short)type, l_whence = 0 /* SEEK_SET */, l_start = offset, l_len = lengthBytes };
            failure = fcntl(descriptor.Number, command, &range) == 0 ? 0 : errno;
        }
        while (failure == EINTR);
        foundType = range.l_type;
        return failure;
    }

    private static Exception LockError(int failure, string command, long offset, long lengthBytes) =>
        LinuxError.ToException(failure, "fcntl", $"{command}, offset {offset}, length {lengthBytes}");
}
