// A window on mapped memory for reading, whose span the compiler keeps inside the window's `using`: the property is [UnscopedRef], so a
// span lives no longer than the variable, and Dispose is implemented explicitly, so only the end of a `using` calls it. A copy of the
// struct that outlives the view finds it closed; a span that was taken of the copy before that nobody can call back.

using System.Diagnostics.CodeAnalysis;

namespace ShmIpc.Memory;

/// <summary>Mapped memory open for reading. While it is open the memory stays mapped and readable, also past the mapping's
/// Dispose.</summary>
/// <remarks>Use it as <c>using var view = mapping.OpenRead(...)</c>. The compiler refuses a span that would outlive the variable. It
/// cannot follow a copy: a span of a copy, or of a variable that a later <c>using (view)</c> closes, is as a pointer, and a touch after the
/// mapping is gone ends the process. So make no copies, and close a view by its own declaration.</remarks>
public readonly ref struct ReadableView : IDisposable
{
    private readonly OpenView? _view;

    internal ReadableView(OpenView view) => _view = view;

    /// <summary>How many bytes the view shows.</summary>
    public int LengthBytes => _view is null ? 0 : (int)(_view.End - _view.Start);

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">This is a copy of a view that was closed.</exception>
    [UnscopedRef]
    public ReadOnlySpan<byte> Span => _view is null ? default : _view.Span.Bytes(0, LengthBytes);

    /// <summary>The address of the first byte, for native calls; good while the view is open.</summary>
    /// <exception cref="ObjectDisposedException">This is a copy of a view that was closed.</exception>
    public nint Address => _view is null ? 0 : _view.Span.Start;

    /// <summary>Closes the view.</summary>
    void IDisposable.Dispose() => _view?.Dispose();
}
