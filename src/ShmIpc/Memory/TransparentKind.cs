// Which of its settings the kernel asks before it makes transparent huge pages of memory.

namespace ShmIpc.Memory;

internal enum TransparentKind
{
    /// <summary>Private anonymous memory.</summary>
    Anonymous,

    /// <summary>Shared memory: anonymous, of a memfd, or of a tmpfs.</summary>
    Shared,

    /// <summary>A file on a disk.</summary>
    File,
}
