// What may be done with the pages of a mapping. What Protect says is kept in _pages; an open scope of Writable raises its pages above that,
// and so does a view that leans on one and is not closed yet. Apply tells the kernel what follows from all three, so that scopes and views
// may be closed in any order. It all happens under _viewsLock.

using ShmIpc.Interop;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private bool _spaceIsTaken; // whether every page of a shared file has space on its file system

    /// <summary>Changes what may be done with whole pages (<c>mprotect</c>).</summary>
    /// <param name="offset">The first byte: a multiple of <see cref="PageSizeBytes"/>.</param>
    /// <param name="lengthBytes">How many bytes: a multiple of <see cref="PageSizeBytes"/>, or up to the end of the mapping.</param>
    /// <param name="access">What is to be allowed.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="ArgumentException">The range is not whole pages of the mapping, or there is no such access.</exception>
    /// <exception cref="InvalidOperationException">A callback or a search that is running needs what would be taken away, or the mapping is
    /// mirrored.</exception>
    /// <exception cref="UnauthorizedAccessException">The file behind shared memory was opened read-only, or is sealed, or lies on a file
    /// system from which nothing may be executed.</exception>
    /// <exception cref="ShmNoSpaceException">Writing was asked for, and the file system has no room for the holes of the file, or the
    /// machine too little memory for private pages that are locked.</exception>
    /// <exception cref="ShmException">The kernel refused.</exception>
    public void Protect(long offset, long lengthBytes, MemoryAccess access)
    {
        CheckPages(offset, lengthBytes);
        CheckKnown(access, nameof(access));
        AddReference();
        try
        {
            lock (_viewsLock)
            {
                if (access == MemoryAccess.ReadWrite) CheckMayBeWritten(nameof(Protect));
                CheckNotMirrored(nameof(Protect));
                var (start, end) = (offset, PageEnd(offset + lengthBytes));
                CheckNobodyNeedsMore(start, end, access);
                if (access == MemoryAccess.ReadWrite) RequireRoomToWrite(start, end);
                var pages = _pages ??= new PageAccess(PageEnd(LengthBytes), Access);
                (long Start, long End, MemoryAccess Access)[] before = [.. pages.In(start, end)];
                pages.Set(start, end, access);
                try
                {
                    Apply(start, end);
                    if (access == MemoryAccess.ReadWrite) TakeSpace(start, end);
                }
                catch
                {
                    foreach (var run in before) pages.Set(run.Start, run.End, run.Access);
                    Restore(start, end);
                    throw;
                }
            }
        }
        finally
        {
            ReleaseReference();
        }
    }

    private void CheckNobodyNeedsMore(long start, long end, MemoryAccess access)
    {
        var inTheWay = _views.Count(view => !Allows(access, view.Writes)
            && AccessOf(Math.Max(start, view.Start), Math.Min(end, view.End))
                .Any(run => run.Start < run.End && Allows(run.Access, view.Writes))); // where not, it leans on a scope
        if (inTheWay == 0) return;
        throw new InvalidOperationException(
            $"{inTheWay} callback(s) or search(es) that have some of bytes {start} to {end} would end the process once the pages are " +
            $"{access}: wait until they have returned.");
    }

    private void CheckMayBeWritten(string operation)
    {
        CheckNotMirrored(operation);
        if (_mayBeWritten) return;
        throw new UnauthorizedAccessException(
            $"{operation} makes pages writable, and the file behind this shared memory was opened read-only: open it for reading and " +
            "writing before it is mapped, or map it with MappingSharing.Private.");
    }

    private void CheckNotMirrored(string operation)
    {
        if (IsMirrored)
        {
            throw new InvalidOperationException(
                $"{operation} works on parts of a mapping, and a mirrored one has each part twice: map it without Mirrored, or with " +
                "the Access it is to have.");
        }
    }

    // The kernel is told what the list, the scopes and the views that lean on them say, piece by piece.
    private void Apply(long start, long end)
    {
        (long Start, long End, bool Writes)[] raising =
        [
            .. _scopes.Select(scope => (scope.Start, scope.End, Writes: true))
                .Concat(_views.Where(view => view.Leans).Select(view => (view.Start, view.End, view.Writes)))
                .Where(range => range.Start < range.End)
                .Select(range => (PageStart(range.Start), PageEnd(range.End), range.Writes)),
        ];
        long[] cuts = [.. raising.SelectMany(range => (long[])[range.Start, range.End])];
        foreach (var run in AccessOf(start, end))
        {
            long[] ends = [.. cuts.Where(cut => cut > run.Start && cut < run.End).Append(run.End).Distinct().Order()];
            var from = run.Start;
            foreach (var to in ends)
            {
                var over = raising.Where(range => range.Start <= from && range.End >= to);
                SetAccess(from, to, over.Aggregate(run.Access, Raised));
                from = to;
            }
        }
    }

    private static MemoryAccess Raised(MemoryAccess access, (long Start, long End, bool Writes) over) =>
        over.Writes ? MemoryAccess.ReadWrite : Allows(access, writing: false) ? access : MemoryAccess.ReadOnly;

    // After a failure: as well as it goes, because the first failure is the one to report.
    private void Restore(long start, long end)
    {
        try
        {
            Apply(start, end);
        }
        catch (Exception error) when (error is ShmException or UnauthorizedAccessException)
        {
        }
    }

    private void SetAccess(long start, long end, MemoryAccess access)
    {
        if (IsWithheldHere) return; // a view that was open at the fork is closed
        if (mprotect(_start + start, Size(end - start), ProtectionOf(access)) != 0)
        {
            throw LinuxError.ToException(
                errno,
                "mprotect",
                $"offset {start}, length {end - start}, {access}",
                request: RequestOf((nint)(_start + start), end - start) with { Protection = ProtectionOf(access) });
        }
    }

    // Private pages that are locked are copied as soon as they may be written. So this is asked before they are opened, and never when they
    // are closed, which takes nothing.
    private void RequireRoomToWrite(long start, long end)
    {
        if (Sharing == MappingSharing.Shared || IsOfPool) return;
        PageRange[] held =
        [
            .. LockTable.Held((nint)(_start + start), (nint)(_start + end))
                .Select(part => new PageRange(part.Start, part.End - part.Start, PagesThere.Own)),
        ];
        if (held.Length > 0 && LinuxMemory.ShortageFor(held) is { } refusal) throw refusal;
    }

    // Where the mapping began as read-only, a hole of the file has no space yet, nor has the private copy of a page of a pool: better an
    // exception when pages become writable than a fault at the first write.
    private void TakeSpace(long start, long end)
    {
        if (_spaceIsTaken || !_isFile) return;
        if (Sharing == MappingSharing.Private && !IsOfPool) return;
        if (!TryPopulate((nint)(_start + start), end - start, MADV_POPULATE_WRITE, out var failure) && failure != EINVAL /* before 5.14 */)
        {
            if (failure == EFAULT && IsOfPool) throw PoolExhausted(end - start);
            throw failure == EFAULT || failure == ENOMEM
                ? new ShmNoSpaceException(
                    $"The file system has no room for the {end - start} bytes that are to be written: free space, or map less.",
                    end - start,
                    availableBytes: -1)
                : LinuxError.ToException(
                    failure,
                    "madvise",
                    $"length {end - start}, MADV_POPULATE_WRITE",
                    request: RequestOf((nint)(_start + start), end - start));
        }

        if (start == 0 && end >= LengthBytes) _spaceIsTaken = true;
    }

    private static int ProtectionOf(MemoryAccess access) => access switch
    {
        MemoryAccess.ReadOnly => PROT_READ,
        MemoryAccess.ReadWrite => PROT_READ | PROT_WRITE,
        MemoryAccess.ReadExecute => PROT_READ | PROT_EXEC,
        _ => PROT_NONE,
    };

    // Pages of this mapping that the kernel refused something about.
    private MemoryRequest RequestOf(nint address, long lengthBytes) =>
        new() { Address = address, LengthBytes = lengthBytes, HugePageBytes = IsOfPool ? PageSizeBytes : 0 };

    private long PageStart(long offset) => offset & -PageSizeBytes;

    private long PageEnd(long offset) => (offset + PageSizeBytes - 1) & -PageSizeBytes;
}
