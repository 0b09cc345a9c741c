// Files in memory (memfd) and their seals; see also LinuxFile.cs. The numbers of seals are the kernel's own here.

using System.Numerics;
using Microsoft.Win32.SafeHandles;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    // What the link of a memfd in /proc/<pid>/fd says, in which "(deleted)" means nothing.
    private const string MemoryPrefix = "/memfd:";
    private const string MemorySuffix = " (deleted)";

    // Whoever is handed the file by its descriptor may open it anew for reading, and only its owner for writing: by default all might.
    private const uint MemoryMode = 0x1A4; // 0644

    private const int FirstOrdinaryDescriptor = 3; // behind stdin, stdout and stderr

    /// <summary>Makes a file in memory of no bytes, which may be sealed, and cannot be executed where the kernel (6.3) knows
    /// that.</summary>
    /// <param name="name">A name for people.</param>
    /// <param name="hugePageBytes">The size of the pages of the pool that it consists of; 0 for ordinary memory.</param>
    public static SafeFileHandle CreateInMemory(string name, long hugePageBytes = 0)
    {
        fixed (byte* text = NullTerminated(name))
        {
            var flags = (uint)(MFD_CLOEXEC | MFD_ALLOW_SEALING);
            if (hugePageBytes != 0) flags |= (uint)MFD_HUGETLB | (uint)BitOperations.Log2((ulong)hugePageBytes) << MFD_HUGE_SHIFT;
            var descriptor = memfd_create(text, flags | MFD_NOEXEC_SEAL);
            if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create(text, flags);
            if (descriptor < 0)
            {
                throw LinuxError.ToException(
                    errno, "memfd_create", hugePageBytes == 0 ? $"\"{name}\"" : $"\"{name}\", MFD_HUGETLB, pages of {hugePageBytes} bytes");
            }

            var file = new SafeFileHandle(descriptor, ownsHandle: true);
            SetMode(file, MemoryMode);
            return file;
        }
    }

    /// <summary>The name that a file in memory was made with; null when it is another kind of file.</summary>
    public static string? MemoryName(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return MemoryName(DescriptorPath(descriptor.Number), out _);
    }

    /// <inheritdoc cref="MemoryName(SafeFileHandle)"/>
    /// <param name="descriptorPath">The descriptor in /proc, of whatever process.</param>
    /// <param name="target">What the link leads to.</param>
    /// <exception cref="IOException">There is no such process or descriptor.</exception>
    /// <exception cref="UnauthorizedAccessException">The process belongs to somebody else.</exception>
    public static string? MemoryName(string descriptorPath, out string target)
    {
        target = new FileInfo(descriptorPath).LinkTarget ?? "";
        if (!target.StartsWith(MemoryPrefix, StringComparison.Ordinal)) return null;
        var name = target[MemoryPrefix.Length..];
        return name.EndsWith(MemorySuffix, StringComparison.Ordinal) ? name[..^MemorySuffix.Length] : name;
    }

    /// <summary>Opens the file behind somebody's descriptor, as <see cref="Reopen"/> does.</summary>
    /// <returns>Null when it failed, and why in <paramref name="errno"/>.</returns>
    public static SafeFileHandle? TryOpenDescriptor(string descriptorPath, bool writable, out int errno) =>
        TryOpen(AT_FDCWD, descriptorPath, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK, 0, out errno);

    /// <summary>The seals of a file; null for one of a kind that has none.</summary>
    public static int? Seals(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var seals = fcntl(descriptor.Number, F_GET_SEALS);
        if (seals >= 0) return seals;
        var failure = errno;
        return failure == EINVAL ? null : throw LinuxError.ToException(failure, "fcntl", $"descriptor {descriptor.Number}, F_GET_SEALS");
    }

    /// <summary>Adds seals.</summary>
    /// <returns>Zero, or why not.</returns>
    public static int TryAddSeals(SafeFileHandle file, int seals)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return fcntl(descriptor.Number, F_ADD_SEALS, seals) == 0 ? 0 : errno;
    }

    /// <summary>A second descriptor of the same open file, which every process inherits that is started while it is open.</summary>
    public static SafeFileHandle DuplicateToInherit(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var duplicate = fcntl(descriptor.Number, F_DUPFD, FirstOrdinaryDescriptor);
        return duplicate >= 0
            ? new SafeFileHandle(duplicate, ownsHandle: true)
            : throw LinuxError.ToException(errno, "fcntl", $"descriptor {descriptor.Number}, F_DUPFD");
    }

    /// <summary>Takes over a descriptor that this process inherited, and keeps it from being inherited any further.</summary>
    /// <returns>Null when there is none of that number, or one that is not inheritable: that belongs to somebody in this process.</returns>
    public static SafeFileHandle? TryTakeInherited(int descriptor)
    {
        var isTaken = IsInherited(descriptor) && fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
        return isTaken ? new SafeFileHandle(descriptor, ownsHandle: true) : null;
    }

    /// <summary>Whether a descriptor is open, and inheritable; never for stdin, stdout and stderr.</summary>
    public static bool IsInherited(int descriptor)
    {
        var flags = descriptor < FirstOrdinaryDescriptor ? -1 : fcntl(descriptor, F_GETFD);
        return flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
}
