// Files as the rest of the library uses them: one system call a method, EINTR retried, errno turned into an exception that says what
// was tried. A thin adapter: nothing here knows what a region is. See also LinuxFile.Space.cs and LinuxFile.Locks.cs.

using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    /// <summary>Opens a directory; the last part of the path may not be a symbolic link.</summary>
    public static SafeFileHandle OpenDirectory(string path) =>
        TryOpen(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0, out var failure)
        ?? throw LinuxError.ToException(failure, "open", $"\"{path}\", O_DIRECTORY|O_NOFOLLOW");

    /// <summary>Opens a file by its path, for reading.</summary>
    public static SafeFileHandle OpenForReading(string path) =>
        TryOpen(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, out var failure)
        ?? throw LinuxError.ToException(failure, "open", $"\"{path}\", O_RDONLY");

    /// <summary>Makes a directory with exactly this mode, whatever the umask; does nothing where the name is taken.</summary>
    public static void MakeDirectory(string path, uint mode)
    {
        fixed (byte* name = NullTerminated(path))
        {
            CrashPoint.BeforeCall("mkdir");
            if (mkdir(name, (mode_t)(mode & 0x1C0)) != 0) // no more than the owner's bits until the mode is set
            {
                var failure = errno;
                if (failure == EEXIST) return;
                throw LinuxError.ToException(failure, "mkdir", $"\"{path}\", mode {Octal(mode)}");
            }
        }

        using var directory = OpenDirectory(path);
        SetMode(directory, mode);
    }

    /// <summary>Opens a file for reading and writing; never follows a symbolic link, never blocks.</summary>
    /// <returns>Null when it failed, and why in <paramref name="errno"/>.</returns>
    public static SafeFileHandle? TryOpenAt(SafeFileHandle directory, string name, out int errno)
    {
        using var parent = new BorrowedDescriptor(directory);
        return TryOpen(parent.Number, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0, out errno);
    }

    /// <summary>Opens a file that has no name yet, with exactly this mode; <see cref="TryLinkAt"/> gives it one.</summary>
    public static SafeFileHandle OpenTemporaryAt(SafeFileHandle directory, uint mode)
    {
        using var parent = new BorrowedDescriptor(directory);
        CrashPoint.BeforeCall("O_TMPFILE");
        var file = TryOpen(parent.Number, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode, out var failure);
        if (file is null)
        {
            string? cure = null;
            if (failure == EOPNOTSUPP || failure == EISDIR)
            {
                cure = "The file system of that directory has no unnamed files: use one on tmpfs (/dev/shm), ext4, xfs or btrfs.";
            }
            else if (failure == ENOSPC)
            {
                cure = "The file system can hold no more files (inodes): remove some, or give it more (for tmpfs " +
                    "`mount -o remount,nr_inodes=100k`).";
            }

            throw LinuxError.ToException(failure, "openat", $"{NameIn(parent, "")}, O_TMPFILE|O_RDWR", cure);
        }

        SetMode(file, mode);
        return file;
    }

    /// <summary>Opens the same file anew: another open file description, which neither shares nor keeps alive this one's locks.</summary>
    public static SafeFileHandle Reopen(SafeFileHandle file, bool writable = true)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var path = DescriptorPath(descriptor.Number);
        return TryOpen(AT_FDCWD, path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK, 0, out var failure)
            ?? throw LinuxError.ToException(failure, "open", $"\"{path}\", {(writable ? "O_RDWR" : "O_RDONLY")}");
    }

    /// <summary>Gives an open file a name; false when the name is taken.</summary>
    public static bool TryLinkAt(SafeFileHandle file, SafeFileHandle directory, string name)
    {
        using var descriptor = new BorrowedDescriptor(file);
        using var parent = new BorrowedDescriptor(directory);
        fixed (byte* source = NullTerminated(DescriptorPath(descriptor.Number)), target = NullTerminated(name))
        {
            CrashPoint.BeforeCall("linkat");
            if (linkat(AT_FDCWD, source, parent.Number, target, AT_SYMLINK_FOLLOW) == 0) return true;
        }

        var failure = errno;
        return failure == EEXIST ? false : throw LinuxError.ToException(failure, "linkat", NameIn(parent, name));
    }

    /// <summary>May this process put names into the directory, and take them away? Asks only.</summary>
    /// <returns>Zero, or why not.</returns>
    public static int TryChange(SafeFileHandle directory)
    {
        using var parent = new BorrowedDescriptor(directory);
        fixed (byte* here = NullTerminated("."))
        {
            return faccessat(parent.Number, here, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
        }
    }

    /// <summary>Takes a name away; false when there was none.</summary>
    public static bool TryUnlinkAt(SafeFileHandle directory, string name)
    {
        using var parent = new BorrowedDescriptor(directory);
        fixed (byte* target = NullTerminated(name))
        {
            CrashPoint.BeforeCall("unlinkat");
            if (unlinkat(parent.Number, target, 0) == 0) return true;
        }

        var failure = errno;
        return failure == ENOENT ? false : throw LinuxError.ToException(failure, "unlinkat", NameIn(parent, name));
    }

    public static FileStatus Status(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        stat status;
        if (fstat(descriptor.Number, &status) != 0) throw LinuxError.ToException(errno, "fstat", $"descriptor {descriptor.Number}");
        return ToStatus(status);
    }

    /// <summary>What a path leads to, through symbolic links; false when nothing is there.</summary>
    public static bool TryStatus(string path, out FileStatus status)
    {
        stat raw;
        fixed (byte* target = NullTerminated(path))
        {
            if (fstatat(AT_FDCWD, target, &raw, 0) == 0)
            {
                status = ToStatus(raw);
                return true;
            }
        }

        var failure = errno;
        status = default;
        return failure == ENOENT || failure == ENOTDIR ? false : throw LinuxError.ToException(failure, "stat", $"\"{path}\"");
    }

    /// <summary>What a name stands for, a symbolic link for itself; false when nothing has the name.</summary>
    public static bool TryStatusAt(SafeFileHandle directory, string name, out FileStatus status)
    {
        using var parent = new BorrowedDescriptor(directory);
        stat raw;
        fixed (byte* target = NullTerminated(name))
        {
            if (fstatat(parent.Number, target, &raw, AT_SYMLINK_NOFOLLOW) == 0)
            {
                status = ToStatus(raw);
                return true;
            }
        }

        var failure = errno;
        status = default;
        return failure == ENOENT ? false : throw LinuxError.ToException(failure, "fstatat", NameIn(parent, name));
    }

    /// <summary>The flags the file was opened with: what F_GETFL says.</summary>
    public static int OpenFlags(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var flags = fcntl(descriptor.Number, F_GETFL);
        return flags >= 0 ? flags : throw LinuxError.ToException(errno, "fcntl", $"descriptor {descriptor.Number}, F_GETFL");
    }

    /// <summary>Reads until the buffer is full or the file ends; says how many bytes it read.</summary>
    public static int ReadAt(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                var count = (long)pread(descriptor.Number, start + done, buffer.Length - done, offset + done);
                if (count == 0) break;
                if (count > 0) done += (int)count;
                else if (errno != EINTR) throw ReadError(errno, buffer.Length, offset);
            }
        }

        return done;
    }

    /// <summary>Returns when a file (or the names in a directory) is on the disk.</summary>
    public static void Sync(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        CrashPoint.BeforeCall("fsync");
        while (fsync(descriptor.Number) != 0)
        {
            var failure = errno;
            if (failure != EINTR) throw LinuxError.ToException(failure, "fsync", $"descriptor {descriptor.Number}");
        }
    }

    private static SafeFileHandle? TryOpen(int directory, string path, int flags, uint mode, out int failure)
    {
        fixed (byte* name = NullTerminated(path))
        {
            int descriptor;
            do
            {
                descriptor = openat(directory, name, flags, (mode_t)mode);
                failure = descriptor < 0 ? LinuxError.LastErrno : 0;
            }
            while (failure == EINTR);
            return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
        }
    }

    private static Exception ReadError(int failure, int lengthBytes, long offset) => LinuxError.ToException(
        failure,
        "pread",
        $"length {lengthBytes}, offset {offset}",
        failure == EIO ? "Nothing can be read there: check the disk (kernel log), unless it is a file of the kernel's own (/proc)." : null);

    private static void SetMode(SafeFileHandle file, uint mode)
    {
        using var descriptor = new BorrowedDescriptor(file);
        CrashPoint.BeforeCall("fchmod");
        if (fchmod(descriptor.Number, (mode_t)mode) == 0) return;
        var failure = errno;
        file.Dispose();
        throw LinuxError.ToException(failure, "fchmod", $"mode {Octal(mode)}");
    }

    private static FileStatus ToStatus(in stat status) =>
        new((uint)status.st_mode, status.st_uid, status.st_gid, status.st_size, (ulong)status.st_ino, (ulong)status.st_dev);

    /// <summary>A name in an open directory, for messages, with the directory's own as far as the kernel says it.</summary>
    private static string NameIn(BorrowedDescriptor directory, string name)
    {
        try
        {
            return $"\"{Path.Combine(new FileInfo(DescriptorPath(directory.Number)).LinkTarget ?? "", name).TrimEnd('/')}\"";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"\"{name}\"";
        }
    }

    private static string DescriptorPath(int descriptor) => $"/proc/self/fd/{descriptor}";

    private static string Octal(uint mode) => "0" + Convert.ToString(mode, 8);

    private static byte[] NullTerminated(string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A file name has at least one character and none that is NUL.", nameof(path));
        }

        return Encoding.UTF8.GetBytes(path + '\0');
    }
}
