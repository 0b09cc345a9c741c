// How a file's lock is taken: an open file description for the token, then the lock, tried at growing pauses (RetryPauses.cs).

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

public sealed partial class FileLock
{
    /// <summary>Takes the lock if nobody holds one that keeps it out. Never waits.</summary>
    /// <param name="path">A regular file, which is there already, and which this user may read; and write for an exclusive lock.</param>
    /// <param name="kind">Whom the lock is to keep out.</param>
    /// <param name="range">Which bytes; by default the whole file, however far it grows.</param>
    /// <returns>The lock, or null: <see cref="FindConflict(string, FileLockKind, FileRange)"/> says what is in the way.</returns>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">This is not a regular file, or there is no such kind of lock.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not open the file so.</exception>
    /// <exception cref="ShmException">The file is not there, or the kernel or the file system refused.</exception>
    public static FileLock? TryAcquire(string path, FileLockKind kind, FileRange range = default) =>
        TryTake(Open(path, kind), kind, range);

    /// <summary><inheritdoc cref="TryAcquire(string, FileLockKind, FileRange)" path="/summary"/></summary>
    /// <remarks>The lock does not depend on the handle, which may be closed before it, and keeps out others of the same handle too.
    /// </remarks>
    /// <param name="file">A regular file or memfd, open for reading, or for writing with an exclusive lock. This user must still be
    /// allowed to open it so: it is opened once more.</param>
    /// <param name="kind">Whom the lock is to keep out.</param>
    /// <param name="range">Which bytes; by default the whole file, however far it grows.</param>
    /// <returns>The lock, or null: <see cref="FindConflict(SafeFileHandle, FileLockKind, FileRange)"/> says what is in the way.</returns>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">This is not a regular file, or there is no such kind of lock.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    /// <exception cref="UnauthorizedAccessException">The handle is not open for this kind of lock, or the file may not be opened any more.
    /// </exception>
    /// <exception cref="ShmException">The kernel or the file system refused.</exception>
    public static FileLock? TryAcquire(SafeFileHandle file, FileLockKind kind, FileRange range = default) =>
        TryTake(Open(file, kind), kind, range);

    /// <summary>Takes the lock, and waits for it as long as somebody holds one that keeps it out.</summary>
    /// <remarks>Who waits is not served in turn: many shared locks one after another can keep an exclusive one waiting. A lock that
    /// becomes free is noticed up to 16 ms later.</remarks>
    /// <param name="path">A regular file, which is there already, and which this user may read; and write for an exclusive lock.</param>
    /// <param name="kind">Whom the lock is to keep out.</param>
    /// <param name="timeout">How long to wait at most; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="range">Which bytes; by default the whole file, however far it grows.</param>
    /// <param name="cancellationToken">Ends the wait early.</param>
    /// <exception cref="TimeoutException">The lock was not to be had within <paramref name="timeout"/>. The message says what is in the
    /// way.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">This is not a regular file, there is no such kind of lock, or the timeout is negative.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">This user may not open the file so.</exception>
    /// <exception cref="ShmException">The file is not there, or the kernel or the file system refused.</exception>
    public static FileLock Acquire(
        string path, FileLockKind kind, TimeSpan timeout, FileRange range = default, CancellationToken cancellationToken = default)
    {
        var pauses = new RetryPauses(timeout);
        return Take(Open(path, kind), kind, range, pauses, cancellationToken);
    }

    /// <inheritdoc cref="Acquire(string, FileLockKind, TimeSpan, FileRange, CancellationToken)"/>
    /// <param name="file">A regular file or memfd, as <see cref="TryAcquire(SafeFileHandle, FileLockKind, FileRange)"/> has it.</param>
    /// <param name="kind">Whom the lock is to keep out.</param>
    /// <param name="timeout">How long to wait at most; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="range">Which bytes; by default the whole file, however far it grows.</param>
    /// <param name="cancellationToken">Ends the wait early.</param>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public static FileLock Acquire(
        SafeFileHandle file, FileLockKind kind, TimeSpan timeout, FileRange range = default, CancellationToken cancellationToken = default)
    {
        var pauses = new RetryPauses(timeout);
        return Take(Open(file, kind), kind, range, pauses, cancellationToken);
    }

    /// <summary>Takes the lock, and awaits it as long as somebody holds one that keeps it out. No thread waits meanwhile.</summary>
    /// <inheritdoc cref="Acquire(string, FileLockKind, TimeSpan, FileRange, CancellationToken)"/>
    public static Task<FileLock> AcquireAsync(
        string path, FileLockKind kind, TimeSpan timeout, FileRange range = default, CancellationToken cancellationToken = default)
    {
        var pauses = new RetryPauses(timeout);
        return TakeAsync(Open(path, kind), kind, range, pauses, cancellationToken);
    }

    /// <summary>Takes the lock, and awaits it as long as somebody holds one that keeps it out. No thread waits meanwhile.</summary>
    /// <inheritdoc cref="Acquire(SafeFileHandle, FileLockKind, TimeSpan, FileRange, CancellationToken)"/>
    public static Task<FileLock> AcquireAsync(
        SafeFileHandle file, FileLockKind kind, TimeSpan timeout, FileRange range = default, CancellationToken cancellationToken = default)
    {
        var pauses = new RetryPauses(timeout);
        return TakeAsync(Open(file, kind), kind, range, pauses, cancellationToken);
    }

    /// <summary>Says what would keep out a lock that somebody took now. Takes none itself.</summary>
    /// <param name="path">A regular file that this user may read.</param>
    /// <param name="kind">Whom the lock would keep out.</param>
    /// <param name="range">Which bytes; by default the whole file.</param>
    /// <returns>One of the locks in the way, or null when there was none at that instant.</returns>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">This is not a regular file, or there is no such kind of lock.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read the file.</exception>
    /// <exception cref="ShmException">The file is not there, or the kernel or the file system refused.</exception>
    public static FileLockConflict? FindConflict(string path, FileLockKind kind, FileRange range = default)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(path);
        RequireKind(kind);
        using var opened = RequireFile(LinuxFile.OpenToLock(path, writable: false));
        return Find(opened, kind, range);
    }

    /// <inheritdoc cref="FindConflict(string, FileLockKind, FileRange)"/>
    /// <param name="file">A regular file or memfd, however it is open. This user must still be allowed to open it so.</param>
    /// <param name="kind">Whom the lock would keep out.</param>
    /// <param name="range">Which bytes; by default the whole file.</param>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public static FileLockConflict? FindConflict(SafeFileHandle file, FileLockKind kind, FileRange range = default)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(file);
        RequireKind(kind);
        using var opened = RequireFile(LinuxFile.OpenToLock(file)); // the kernel does not tell a description of its own locks
        return Find(opened, kind, range);
    }

    private static SafeFileHandle Open(string path, FileLockKind kind)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(path);
        RequireKind(kind);
        return RequireFile(LinuxFile.OpenToLock(path, writable: kind == FileLockKind.Exclusive));
    }

    private static SafeFileHandle Open(SafeFileHandle file, FileLockKind kind)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(file);
        RequireKind(kind);
        RequireAccess(file, kind);
        return RequireFile(LinuxFile.OpenToLock(file));
    }

    private static FileLock? TryTake(SafeFileHandle opened, FileLockKind kind, FileRange range)
    {
        FileLock? taken = null;
        try
        {
            return taken = TryLock(opened, kind, range);
        }
        finally
        {
            if (taken is null) opened.Dispose();
        }
    }

    private static FileLock Take(
        SafeFileHandle opened, FileLockKind kind, FileRange range, RetryPauses pauses, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (Attempt(opened, kind, range, ref pauses, cancellationToken, out var pause) is { } taken) return taken;
                _ = cancellationToken.WaitHandle.WaitOne(pause);
            }
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private static async Task<FileLock> TakeAsync(
        SafeFileHandle opened, FileLockKind kind, FileRange range, RetryPauses pauses, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (Attempt(opened, kind, range, ref pauses, cancellationToken, out var pause) is { } taken) return taken;
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    // The lock, or null and how long to wait before the next attempt.
    private static FileLock? Attempt(
        SafeFileHandle opened,
        FileLockKind kind,
        FileRange range,
        ref RetryPauses pauses,
        CancellationToken cancellationToken,
        out TimeSpan pause)
    {
        cancellationToken.ThrowIfCancellationRequested();
        pause = default;
        var taken = TryLock(opened, kind, range);
        if (taken is null && !pauses.TryNext(out pause)) throw TimedOut(opened, kind, range, pauses.Timeout);
        return taken;
    }

    private static FileLock? TryLock(SafeFileHandle opened, FileLockKind kind, FileRange range) =>
        LinuxFile.TryLock(opened, range.Offset, range.RawLengthBytes, kind == FileLockKind.Exclusive) ? new(opened, kind, range) : null;

    private static FileLockConflict? Find(SafeFileHandle opened, FileLockKind kind, FileRange range) =>
        LinuxFile.FindLock(opened, range.Offset, range.RawLengthBytes, kind == FileLockKind.Exclusive) is { } found ? new(found) : null;

    private static TimeoutException TimedOut(SafeFileHandle opened, FileLockKind kind, FileRange range, TimeSpan timeout)
    {
        var conflict = Find(opened, kind, range);
        var inTheWay = conflict is null ? "By now nothing is in the way: try again." : $"In the way is {conflict}.";
        var wanted = kind == FileLockKind.Exclusive ? "exclusive" : "shared";
        return new($"The {wanted} lock of {range} of {LinuxFile.NameOf(opened)} was not free within {timeout}. {inTheWay}");
    }

    private static void RequireKind(FileLockKind kind)
    {
        if (kind is not (FileLockKind.Shared or FileLockKind.Exclusive))
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, "A lock is Shared or Exclusive.");
        }
    }

    private static SafeFileHandle RequireFile(SafeFileHandle? opened)
    {
        var isFile = false;
        try
        {
            isFile = opened is not null && LinuxFile.Status(opened).IsRegularFile;
        }
        finally
        {
            if (!isFile) opened?.Dispose();
        }

        if (isFile) return opened!;
        throw new ArgumentException("Only a regular file or a memfd can be locked; this is a directory, a device, a pipe or a socket: "
            + "use a file in that directory, or beside it.");
    }
}
