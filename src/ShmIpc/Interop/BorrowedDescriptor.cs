// The number of a descriptor for the length of one system call: while it is borrowed, another thread's Dispose cannot close it and
// let the kernel give the same number to another file.

using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Interop;

internal readonly ref struct BorrowedDescriptor : IDisposable
{
    private readonly SafeFileHandle _file;

    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public BorrowedDescriptor(SafeFileHandle file)
    {
        if (file.IsInvalid && !file.IsClosed)
        {
            throw new ArgumentException(
                "The file handle is invalid: it names no open file. Pass one that was opened successfully.", nameof(file));
        }

        if (file.IsClosed)
        {
            throw new ObjectDisposedException(nameof(SafeFileHandle), "The file is closed, or the object that it belongs to is disposed.");
        }

        var added = false;
        file.DangerousAddRef(ref added);
        _file = file;
        Number = (int)file.DangerousGetHandle();
    }

    public int Number { get; }

    public void Dispose() => _file.DangerousRelease();
}
