using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>Memory that is locked: it stays in memory and is never swapped out, until this is disposed.</summary>
/// <remarks>Locks may overlap: a page is unlocked when the last of them is disposed. A forked child has none of its parent's locks. All
/// members may be used by several threads at once.</remarks>
public sealed class MemoryLock : IDisposable
{
    private readonly LockEntry _entry;
    private MemoryMapping? _mapping;
    private int _isDisposed;

    // A mapping stays mapped while part of it is locked: the lock has one of its references.
    internal MemoryLock(LockEntry entry, MemoryMapping? mapping)
    {
        _entry = entry;
        _mapping = mapping;
    }

    /// <summary>How many bytes of a mapping are locked, in whole pages; 0 for a lock of the whole process.</summary>
    public long LengthBytes => _entry.LengthBytes;

    /// <summary>Locks the memory of the whole process (<c>mlockall</c>).</summary>
    /// <param name="scope">What is mapped now, what will be mapped, or both.</param>
    /// <param name="onFault">Locks each page when it is first touched. Without it, all that is mapped is brought into memory at once,
    /// which in .NET can be much more than the process uses. Default: true.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">There is no such scope.</exception>
    /// <exception cref="UnauthorizedAccessException">The future was asked for, and the process may lock only so much: the message says how
    /// much, and what to do. The kernel would allow it and end the process later.</exception>
    /// <exception cref="ShmNoSpaceException">All that is mapped is to be brought in, and the machine has too little memory
    /// left.</exception>
    /// <exception cref="ShmException">The kernel refused: the message says why, as far as it can be found out.</exception>
    public static MemoryLock LockAll(MemoryLockScope scope = MemoryLockScope.CurrentAndFuture, bool onFault = true) =>
        TryLockAll(scope, onFault, out var token, out var refusal) ? token : throw refusal;

    /// <summary>The same, and says false where <see cref="LockAll"/> would throw for what the process may lock.</summary>
    /// <param name="scope">What is mapped now, what will be mapped, or both.</param>
    /// <param name="onFault">Locks each page when it is first touched.</param>
    /// <param name="token">The lock.</param>
    /// <param name="refusal">Why there is none, with the cure in its message.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">There is no such scope.</exception>
    public static bool TryLockAll(
        MemoryLockScope scope,
        bool onFault,
        [NotNullWhen(true)] out MemoryLock? token,
        [NotNullWhen(false)] out Exception? refusal)
    {
        LinuxPlatform.Require();
        if (scope is not (MemoryLockScope.Current or MemoryLockScope.Future or MemoryLockScope.CurrentAndFuture))
        {
            throw new ArgumentException(
                $"There is no MemoryLockScope {(int)scope}: use Current, Future or CurrentAndFuture.", nameof(scope));
        }

        token = LockTable.TryAddAll(scope, onFault, out refusal) is { } entry ? new MemoryLock(entry, null) : null;
        return token is not null;
    }

    /// <summary>Ends every lock of the whole process (<c>munlockall</c>). What mappings have locked by themselves stays locked.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ShmException">What mappings have locked could not be locked again.</exception>
    public static void UnlockAll()
    {
        LinuxPlatform.Require();
        LockTable.RemoveAlls();
    }

    /// <summary>Unlocks the memory that no other lock covers. A second call does nothing.</summary>
    /// <exception cref="ShmException">A lock of the whole process ended, and what others have locked could not be locked again.</exception>
    public void Dispose()
    {
        if (!Atomics.CompareExchange(ref _isDisposed, 0, 1)) return;
        try
        {
            LockTable.Remove(_entry);
        }
        finally
        {
            Atomics.Exchange(ref _mapping, null)?.ReleaseReference();
        }
    }
}
