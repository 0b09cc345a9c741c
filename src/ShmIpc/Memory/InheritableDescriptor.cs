// A descriptor without close-on-exec, for as long as somebody starts a child.

using System.Globalization;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>A descriptor that processes inherit which are started while it is open, by whatever thread. Dispose it when the child is
/// started. The child needs its <see cref="Number"/>, as an argument or an environment variable, for
/// <see cref="MemoryFile.OpenInherited"/>.
/// </summary>
public sealed class InheritableDescriptor : IDisposable
{
    private static readonly Lock _lock = new();
    private static readonly HashSet<int> _open = [];

    private readonly SafeFileHandle _duplicate;

    internal InheritableDescriptor(SafeFileHandle file)
    {
        lock (_lock)
        {
            _duplicate = LinuxFile.DuplicateToInherit(file);
            Number = (int)_duplicate.DangerousGetHandle();
            _open.Add(Number);
        }
    }

    /// <summary>Its number, the same in the child.</summary>
    public int Number { get; }

    /// <summary>Closes it in this process.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (!_duplicate.IsClosed) _open.Remove(Number);
            _duplicate.Dispose();
        }
    }

    /// <summary>Takes over a descriptor that this process inherited; null where there is none, or somebody here owns it
    /// already.</summary>
    internal static SafeFileHandle? TryTake(int number)
    {
        lock (_lock) return _open.Contains(number) ? null : LinuxFile.TryTakeInherited(number);
    }

    /// <summary><see cref="Number"/> in digits.</summary>
    public override string ToString() => Number.ToString(CultureInfo.InvariantCulture);
}
