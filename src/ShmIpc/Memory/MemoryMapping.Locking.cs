// Keeping a mapping's pages in memory. What is locked, and by whom, LockTable knows.

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private LockEntry? _lockedForLife; // with MemoryMappingOptions.Locked: until it is unmapped

    /// <summary>Locks a range into memory (<c>mlock2</c>): it is never swapped out, and no touch of it waits for a disk.</summary>
    /// <param name="offset">The first byte; any.</param>
    /// <param name="lengthBytes">How many bytes; the pages that hold them are locked whole.</param>
    /// <param name="onFault">Locks each page when it is first touched, and not all of them now. Default: false.</param>
    /// <returns>The lock, which ends when it is disposed. The memory stays mapped until then.</returns>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or reaches outside the mapping.</exception>
    /// <exception cref="InvalidOperationException">A page of the range is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ShmNoSpaceException">The machine has too little memory left to hold all of it.</exception>
    /// <exception cref="ShmException">The process may not lock so much: the message says how much it may, and what to do.</exception>
    public MemoryLock Lock(long offset, long lengthBytes, bool onFault = false) =>
        TryLock(offset, lengthBytes, onFault, out var token, out var refusal) ? token : throw refusal;

    /// <summary>Locks the whole memory.</summary>
    /// <inheritdoc cref="Lock(long, long, bool)"/>
    public MemoryLock Lock(bool onFault = false) => Lock(0, LengthBytes, onFault);

    /// <summary>The same, and says false where <see cref="Lock(long, long, bool)"/> would throw for what the process may lock, or the
    /// machine can hold.</summary>
    /// <param name="offset">The first byte; any.</param>
    /// <param name="lengthBytes">How many bytes; the pages that hold them are locked whole.</param>
    /// <param name="onFault">Locks each page when it is first touched, and not all of them now.</param>
    /// <param name="token">The lock.</param>
    /// <param name="refusal">Why there is none, with the cure in its message.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or reaches outside the mapping.</exception>
    /// <exception cref="InvalidOperationException">A page of the range is closed (<see cref="MemoryAccess.None"/>).</exception>
    public bool TryLock(
        long offset,
        long lengthBytes,
        bool onFault,
        [NotNullWhen(true)] out MemoryLock? token,
        [NotNullWhen(false)] out Exception? refusal)
    {
        CheckInside(offset, lengthBytes);

        AddReference();
        token = null;
        try
        {
            lock (_viewsLock) CheckAccess(new OpenView(this, offset, offset + lengthBytes, writes: false, raises: false));
            if (LockPages(offset, lengthBytes, onFault, out refusal) is { } entry) token = new MemoryLock(entry, this);
            return token is not null;
        }
        finally
        {
            if (token is null) ReleaseReference();
        }
    }

    // In a mirrored mapping the second half has the same pages. Locking brings every page into memory: more than there is would have the
    // kernel kill a process.
    private LockEntry? LockPages(long offset, long lengthBytes, bool onFault, out Exception? refusal)
    {
        var (start, end) = (PageStart(offset), PageEnd(offset + lengthBytes));
        refusal = onFault ? null : LinuxMemory.ShortageFor(ToBringIn(start, end));
        return refusal is null ? LockTable.TryAddRange((nint)(_start + start), (nint)(_start + end), onFault, out refusal) : null;
    }

    private IReadOnlyCollection<PageRange> ToBringIn(long start, long end)
    {
        if (IsOfPool) return []; // all are there
        (long Start, long End, MemoryAccess Access)[] runs;
        lock (_viewsLock) runs = _pages is null ? [(start, end, Access)] : [.. _pages.In(start, end)];
        return [.. runs.SelectMany(run => ToBringIn((nint)(_start + run.Start), (nint)(_start + run.End), run.Access))];
    }

    private IEnumerable<PageRange> ToBringIn(nint start, nint end, MemoryAccess access)
    {
        if (Sharing == MappingSharing.Private && (access == MemoryAccess.ReadWrite || !_isFile))
        {
            return [new PageRange(start, end - start, PagesThere.Own)];
        }

        return _transparentKind == TransparentKind.File
            ? LockTable.NotHeld(start, end).Select(part => new PageRange(part.Start, part.End - part.Start, PagesThere.None))
            : [new PageRange(start, end - start, PagesThere.InMemory)];
    }

    private void LockForLife()
    {
        _lockedForLife = LockPages(0, LengthBytes, onFault: false, out var refusal);
        if (refusal is not null) throw refusal;
    }
}
