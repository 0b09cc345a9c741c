// How users reach the bytes. A view is a reference on the mapping and an entry in the list of open views; both are there before its span
// is, and go when its `using` ends. So Dispose cannot unmap under a view, and Protect cannot close pages under it. The copying members
// open a view for as long as they copy.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private readonly Lock _viewsLock = new(); // guards the two below, and every mprotect
    private readonly List<OpenView> _views = [];
    private PageAccess? _pages; // null while every page has the access of the mapping

    /// <summary>Opens a range for reading, in place.</summary>
    /// <param name="offset">The first byte, counted from the start of the mapping.</param>
    /// <param name="lengthBytes">How many bytes. In a mirrored mapping the range may reach up to twice <see cref="LengthBytes"/>.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of the range is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    public ReadableView OpenRead(long offset, int lengthBytes) => new(Open(offset, lengthBytes, writes: false, raises: false));

    /// <summary>Opens the whole memory for reading, in place.</summary>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">Part of it is closed (<see cref="MemoryAccess.None"/>), or it is longer than 2 GiB, the
    /// most that a span holds.</exception>
    public ReadableView OpenRead() => OpenRead(0, SpanLength());

    /// <summary>Opens a range for writing, in place.</summary>
    /// <param name="offset">The first byte, counted from the start of the mapping.</param>
    /// <param name="lengthBytes">How many bytes. In a mirrored mapping the range may reach up to twice <see cref="LengthBytes"/>.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of the range may not be written.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    public WritableView OpenWrite(long offset, int lengthBytes) => new(Open(offset, lengthBytes, writes: true, raises: false));

    /// <summary>Opens the whole memory for writing, in place.</summary>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">Part of it may not be written, or it is longer than 2 GiB, the most that a span
    /// holds.</exception>
    public WritableView OpenWrite() => OpenWrite(0, SpanLength());

    /// <summary>Makes the pages of a range writable for as long as the view is open, and closes them again to what they were. For memory
    /// that is read-only most of the time, so that stray writes are found. Meanwhile, the pages cannot be executed.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="lengthBytes">How many bytes; the pages that hold them become writable whole.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">The mapping is mirrored.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    /// <exception cref="UnauthorizedAccessException">The file behind shared memory was opened read-only, or is sealed.</exception>
    /// <exception cref="ShmException">The kernel refused.</exception>
    public WritableView Writable(long offset, int lengthBytes) => new(Open(offset, lengthBytes, writes: true, raises: true));

    /// <summary>Copies bytes out of the memory.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">Where they go; its length says how many.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of the range is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    public void ReadAt(long offset, Span<byte> destination)
    {
        using var view = OpenRead(offset, destination.Length);
        view.Span.CopyTo(destination);
    }

    /// <summary>Copies bytes into the memory.</summary>
    /// <param name="offset">Where the first one goes.</param>
    /// <param name="source">The bytes.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of the range may not be written.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the mapping.</exception>
    public void WriteAt(long offset, ReadOnlySpan<byte> source)
    {
        using var view = OpenWrite(offset, source.Length);
        source.CopyTo(view.Span);
    }

    /// <summary>Reads a value, in this machine's byte order.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="offset">Its first byte; any, aligned or not.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of it is closed (<see cref="MemoryAccess.None"/>).</exception>
    /// <exception cref="ArgumentOutOfRangeException">It reaches outside the mapping.</exception>
    public T Read<T>(long offset)
        where T : unmanaged
    {
        using var view = OpenRead(offset, sizeof(T));
        return MemoryMarshal.Read<T>(view.Span);
    }

    /// <summary>Writes a value, in this machine's byte order.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="offset">Its first byte; any, aligned or not.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">A page of it may not be written.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It reaches outside the mapping.</exception>
    public void Write<T>(long offset, T value)
        where T : unmanaged
    {
        using var view = OpenWrite(offset, sizeof(T));
        MemoryMarshal.Write(view.Span, in value);
    }

    /// <summary>The bytes of an open view, which holds a reference.</summary>
    internal MappedSpan Span(long start, long end) => new(_start + start, end - start);

    /// <summary>A view of everything for reading, whatever its length. A mirror does not count.</summary>
    internal OpenView OpenWhole() => Open(0, LengthBytes, writes: false, raises: false, nameof(OpenRead));

    /// <summary>Takes a view off the list, its pages back to what they were, and its reference back.</summary>
    internal void Close(OpenView view)
    {
        try
        {
            lock (_viewsLock)
            {
                _views.Remove(view);
                if (view.Raises) Apply(PageStart(view.Start), PageEnd(view.End));
            }
        }
        finally
        {
            ReleaseReference();
        }
    }

    private OpenView Open(long offset, long lengthBytes, bool writes, bool raises, [CallerMemberName] string operation = "")
    {
        AddReference();
        try
        {
            _ = Whole.Slice(offset, lengthBytes);
            var view = new OpenView(this, offset, offset + lengthBytes, writes, raises);
            lock (_viewsLock)
            {
                if (raises) CheckMayBeWritten(operation);
                else CheckAccess(view);
                _views.Add(view);
                try
                {
                    if (raises) Apply(PageStart(view.Start), PageEnd(view.End));
                }
                catch
                {
                    _views.Remove(view);
                    Restore(PageStart(view.Start), PageEnd(view.End));
                    throw;
                }
            }

            return view;
        }
        catch
        {
            ReleaseReference();
            throw;
        }
    }

    // Pages that are writable only because of somebody else's Writable do not count: they are so for no longer than that view is open.
    private void CheckAccess(OpenView view)
    {
        if (_pages is null && Access == MemoryAccess.ReadWrite) return;
        var runs = _pages?.In(view.Start, view.End) ?? [(view.Start, view.End, Access)];
        foreach (var (start, end, access) in runs.Where(run => !Allows(run.Access, view.Writes) && run.End > run.Start))
        {
            var cure = view.Writes
                ? "use Writable, which makes them so for the time, or Protect them with MemoryAccess.ReadWrite."
                : "Protect them with MemoryAccess.ReadOnly first.";
            throw new InvalidOperationException(
                $"Bytes {start} to {end} of the mapping are {access}, and {(view.Writes ? "writing" : "reading")} was asked for: {cure}");
        }
    }

    private static bool Allows(MemoryAccess access, bool writing) =>
        writing ? access == MemoryAccess.ReadWrite : access != MemoryAccess.None;

    private int SpanLength() => LengthBytes <= int.MaxValue
        ? (int)LengthBytes
        : throw new InvalidOperationException(
            $"The mapping has {LengthBytes} bytes, and a span holds at most {int.MaxValue}: open it in parts.");
}
