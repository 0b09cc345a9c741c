// Who uses the bytes, and which pages are writable for the time. A view is a reference on the mapping and an entry in the list of open
// views; both are there before its span is, and go when the member that opened it returns. So Dispose cannot unmap under a view, and
// Protect cannot close pages under it. A scope of Writable raises its pages above what Protect says; a view that needed that leans on it.

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private readonly Lock _viewsLock = new(); // guards the three below, and every mprotect
    private readonly List<OpenView> _views = [];
    private readonly List<WritableScope> _scopes = [];
    private PageAccess? _pages; // null while every page has the access of the mapping

    /// <summary>Makes the pages of a range writable until the scope is disposed, and closes them again to what they were. Meanwhile
    /// everybody may write to the range, and the pages cannot be executed. For memory that is read-only most of the time, so that stray
    /// writes are found.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="lengthBytes">How many bytes; the pages that hold them become writable whole, and writes that reach further are refused
    /// all the same.</param>
    /// <returns>The scope, for a <c>using</c>. Scopes may overlap, and end in any order.</returns>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">The mapping is mirrored.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    /// <exception cref="UnauthorizedAccessException">The file behind shared memory was opened read-only, or is sealed.</exception>
    /// <exception cref="ShmNoSpaceException">The file system has no room for the holes of the file, or the machine too little memory for
    /// private pages that are locked.</exception>
    /// <exception cref="ShmException">The kernel refused.</exception>
    public WritableScope Writable(long offset, long lengthBytes)
    {
        AddReference();
        try
        {
            _ = Whole.Slice(offset, lengthBytes);
            var scope = new WritableScope(this, offset, offset + lengthBytes);
            var (start, end) = (PageStart(scope.Start), PageEnd(scope.End));
            lock (_viewsLock)
            {
                CheckMayBeWritten(nameof(Writable));
                if (lengthBytes > 0) RequireRoomToWrite(start, end);
                _scopes.Add(scope);
                try
                {
                    Apply(start, end);
                    if (lengthBytes > 0) TakeSpace(start, end);
                }
                catch
                {
                    _scopes.Remove(scope);
                    Restore(start, end);
                    throw;
                }
            }

            return scope;
        }
        catch
        {
            ReleaseReference();
            throw;
        }
    }

    /// <summary>The bytes of an open view, which holds a reference.</summary>
    internal MappedSpan Span(long start, long end) => new(_start + start, end - start);

    /// <summary>A view of everything for reading, whatever its length. A mirror does not count.</summary>
    internal OpenView OpenWhole() => Open(0, LengthBytes, writes: false);

    /// <summary>A view of a range, to be disposed by the member that opens it.</summary>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of the range does not allow it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    internal OpenView Open(long offset, long lengthBytes, bool writes)
    {
        AddReference();
        try
        {
            _ = Whole.Slice(offset, lengthBytes);
            var view = new OpenView(this, offset, offset + lengthBytes, writes);
            lock (_viewsLock)
            {
                CheckAccess(view);
                _views.Add(view);
            }

            return view;
        }
        catch
        {
            ReleaseReference();
            throw;
        }
    }

    /// <summary>Takes a view off the list, its pages back to what they were, and its reference back.</summary>
    internal void Close(OpenView view)
    {
        try
        {
            lock (_viewsLock)
            {
                _views.Remove(view);
                if (view.Leans) Apply(PageStart(view.Start), PageEnd(view.End));
            }
        }
        finally
        {
            ReleaseReference();
        }
    }

    /// <summary>The same for a scope.</summary>
    internal void Close(WritableScope scope)
    {
        try
        {
            lock (_viewsLock)
            {
                _scopes.Remove(scope);
                Apply(PageStart(scope.Start), PageEnd(scope.End));
            }
        }
        finally
        {
            ReleaseReference();
        }
    }

    // What Protect said decides, and where that is too little, the scopes that are open.
    private void CheckAccess(OpenView view)
    {
        if (_pages is null && Allows(Access, view.Writes)) return;
        foreach (var (start, end, access) in AccessOf(view.Start, view.End))
        {
            if (start == end || Allows(access, view.Writes)) continue;
            if (!IsInScopes(start, end)) throw Refused(start, end, access, view.Writes);
            view.Leans = true;
        }
    }

    private IEnumerable<(long Start, long End, MemoryAccess Access)> AccessOf(long start, long end) =>
        _pages?.In(start, end) ?? [(start, end, Access)];

    private bool IsInScopes(long start, long end)
    {
        foreach (var scope in _scopes.OrderBy(scope => scope.Start))
        {
            if (scope.Start <= start && scope.End > start) start = scope.End;
        }

        return start >= end;
    }

    private static InvalidOperationException Refused(long start, long end, MemoryAccess access, bool writing)
    {
        var cure = writing
            ? "use Writable, which makes them so for the time, or Protect them with MemoryAccess.ReadWrite."
            : "Protect them with MemoryAccess.ReadOnly first.";
        return new($"Bytes {start} to {end} of the mapping are {access}, and {(writing ? "writing" : "reading")} was asked for: {cure}");
    }

    private static bool Allows(MemoryAccess access, bool writing) =>
        writing ? access == MemoryAccess.ReadWrite : access != MemoryAccess.None;
}
