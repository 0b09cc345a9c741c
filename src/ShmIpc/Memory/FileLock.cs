// A lock on a file or part of it, as a token. How one is taken and waited for is in FileLock.Acquire.cs.
//
// The kernel's lock belongs to an open file description (F_OFD_SETLK), so each token has one of its own: two tokens exclude each other also
// within a process, and no other descriptor of the file that somebody closes takes the lock away, as it would an F_SETLK one. The
// descriptor is O_CLOEXEC: a program that this process starts or becomes does not have it.
//
// A forked child has the descriptor of the same description, thus the same lock. F_UNLCK there would unlock for the parent, so the child
// only closes. At home, Dispose unlocks before it closes: a child with a copy, also one that is between fork and exec in somebody's
// Process.Start, would keep the lock alive otherwise. Only if the home process dies does such a child keep it.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

/// <summary>A lock on a file, or on a range of its bytes, held from when it is taken until <see cref="Dispose"/>.</summary>
/// <remarks>
/// The lock is advisory: it keeps out who asks for a lock (<see cref="FileLock"/>, F_OFD_SETLK, F_SETLK, <c>lockf</c>,
/// <see cref="FileStream.Lock"/>), and not who just reads or writes, nor who takes the other kind that <c>flock(1)</c> and
/// <see cref="FileShare"/> use. It excludes threads from each other as well as processes, ends with the process however that dies, and is
/// not passed on to programs that it starts. It is on the file, not on its name: who deletes or replaces the file takes the name to a file
/// without locks. All members may be used by several threads at once.
/// <para>A process that uses these must not hold locks of the old POSIX kind (F_SETLK, <see cref="FileStream.Lock"/>) on the same file:
/// the kernel drops those whenever the process closes any descriptor of the file, and each of these has one.</para>
/// <para>A token that nobody disposes is let go when the garbage collector finds it: keep it in a <c>using</c>.</para>
/// </remarks>
public sealed partial class FileLock : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SafeFileHandle _file;
    private readonly HomeProcess _home;

    private FileLock(SafeFileHandle file, FileLockKind kind, FileRange range)
    {
        _file = file;
        _home = HomeProcess.Current();
        Kind = kind;
        Range = range;
    }

    /// <summary>Whom the lock keeps out.</summary>
    public FileLockKind Kind { get; private set; }

    /// <summary>What is locked.</summary>
    public FileRange Range { get; }

    /// <summary>Makes a shared lock exclusive, if nobody else holds a lock on the range; it stays shared otherwise. Never waits.</summary>
    /// <remarks>There is no form that waits: two holders of shared locks that both did would wait for each other for ever.</remarks>
    /// <returns>True when the lock is exclusive now.</returns>
    /// <exception cref="UnauthorizedAccessException">The file is open for reading only, as for a shared lock by a path.</exception>
    /// <exception cref="ObjectDisposedException">The lock was given back.</exception>
    /// <exception cref="ShmForkedProcessException">This is a forked child; the lock is its parent's.</exception>
    /// <exception cref="ShmException">The kernel refused.</exception>
    public bool TryUpgrade() => TryChange(FileLockKind.Exclusive);

    /// <summary>Makes an exclusive lock shared: others may take shared ones now, and nobody got in between.</summary>
    /// <exception cref="UnauthorizedAccessException">The file is open for writing only.</exception>
    /// <exception cref="ObjectDisposedException">The lock was given back.</exception>
    /// <exception cref="ShmForkedProcessException">This is a forked child; the lock is its parent's.</exception>
    /// <exception cref="ShmException">The kernel refused.</exception>
    public void Downgrade() => _ = TryChange(FileLockKind.Shared); // there is nothing that its own exclusive lock did not keep out

    /// <summary>Gives the lock back. A second call does nothing. In a forked child, only the child's copy of the descriptor is closed: the
    /// lock stays with the parent.</summary>
    public void Dispose()
    {
        if (!_home.IsHere)
        {
            _file.Dispose(); // without the gate: a thread that the fork left behind may have held it
            return;
        }

        lock (_gate)
        {
            if (_file.IsClosed) return;
            try
            {
                LinuxFile.Unlock(_file, Range.Offset, Range.RawLengthBytes);
            }
            finally
            {
                _file.Dispose();
            }
        }
    }

    /// <summary>The lock in words.</summary>
    public override string ToString() => $"{(Kind == FileLockKind.Exclusive ? "exclusive" : "shared")} lock of {Range}";

    private bool TryChange(FileLockKind kind)
    {
        _home.Require("file lock");
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_file.IsClosed, this);
            RequireAccess(_file, kind);
            if (!LinuxFile.TryLock(_file, Range.Offset, Range.RawLengthBytes, kind == FileLockKind.Exclusive)) return false;
            Kind = kind;
            return true;
        }
    }

    /// <summary>The kernel says EBADF to a lock that the file is not open for.</summary>
    private static void RequireAccess(SafeFileHandle file, FileLockKind kind)
    {
        var access = LinuxFile.OpenFlags(file) & O_ACCMODE;
        if (kind == FileLockKind.Exclusive && access == O_RDONLY)
        {
            throw new UnauthorizedAccessException($"An exclusive lock needs a file open for writing, and {LinuxFile.NameOf(file)} "
                + "is open for reading only: open it with FileAccess.ReadWrite and pass the handle, or take a shared lock.");
        }

        if (kind == FileLockKind.Shared && access == O_WRONLY)
        {
            throw new UnauthorizedAccessException($"A shared lock needs a file open for reading, and {LinuxFile.NameOf(file)} "
                + "is open for writing only: open it with FileAccess.ReadWrite and pass the handle, or take an exclusive lock.");
        }
    }
}
