// A lock of somebody else's, as far as the kernel tells of it.

using System.Globalization;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>A lock that is in the way of another. It may be gone by the time that it is looked at.</summary>
public readonly record struct FileLockConflict
{
    internal FileLockConflict(in FoundLock found)
    {
        Kind = found.IsExclusive ? FileLockKind.Exclusive : FileLockKind.Shared;
        Range = FileRange.OfKernel(found.Offset, found.LengthBytes);
        ProcessId = found.ProcessId > 0 ? found.ProcessId : null;
    }

    /// <summary>Whom it keeps out.</summary>
    public FileLockKind Kind { get; }

    /// <summary>What it covers. Neighbouring locks of one holder are one lock to the kernel.</summary>
    public FileRange Range { get; }

    /// <summary>The process that holds it, when it is a lock of the old POSIX kind (<c>F_SETLK</c>, <c>lockf</c>,
    /// <see cref="FileStream.Lock"/>). Null for the kind that <see cref="FileLock"/> takes, which belongs to no process, and for processes
    /// that this one cannot see.</summary>
    public int? ProcessId { get; }

    /// <summary>The lock in words, such as <c>a shared lock of bytes 0 to 9</c>.</summary>
    public override string ToString()
    {
        var owner = ProcessId is int id
            ? string.Create(CultureInfo.InvariantCulture, $"process {id} holds it with F_SETLK")
            : "the kernel does not say whose, but `lslocks` may";
        return $"{(Kind == FileLockKind.Exclusive ? "an exclusive" : "a shared")} lock of {Range} ({owner})";
    }
}
