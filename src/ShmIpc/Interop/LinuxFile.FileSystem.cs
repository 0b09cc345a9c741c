// Which file system holds a file, as far as it makes a difference: one in memory, one of huge pages, one that cannot be trusted.

using Microsoft.Win32.SafeHandles;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    /// <summary>The type of file system that holds the file, such as TMPFS_MAGIC.</summary>
    public static long FileSystemMagic(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return MagicOf(descriptor.Number);
    }

    /// <summary>Whether the file's bytes lie in a tmpfs: directly, or through an overlay that keeps what is written in one.</summary>
    public static bool IsInMemory(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return IsInMemory(descriptor.Number);
    }

    /// <summary>The size of the huge pages of which the file consists: one of a hugetlbfs, mounted or that of memfds. Zero for every other
    /// file.</summary>
    public static long HugePageBytes(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return HugePageBytes(descriptor.Number);
    }

    /// <summary>The length that the file gets where so many bytes are asked for: on a hugetlbfs whole huge pages, elsewhere just
    /// that.</summary>
    public static long InWholePages(SafeFileHandle file, long lengthBytes) =>
        HugePageBytes(file) is > 0 and var pageBytes ? InWholePages(lengthBytes, pageBytes) : lengthBytes;

    /// <summary>A length in whole pages. No machine has pages for one that could not be rounded up.</summary>
    public static long InWholePages(long lengthBytes, long pageBytes) =>
        lengthBytes > long.MaxValue - pageBytes ? lengthBytes : (lengthBytes + pageBytes - 1) & -pageBytes;

    private static bool IsInMemory(int descriptor) => MagicOf(descriptor) switch
    {
        TMPFS_MAGIC => true,
        OVERLAYFS_SUPER_MAGIC => IsUpperLayerInMemory(descriptor),
        _ => false,
    };

    // What is open for writing lies in the layer that is written to, and so does what is made in a directory.
    private static bool IsUpperLayerInMemory(int descriptor)
    {
        var isWritten = (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY || ToStatus(StatusOf(descriptor)).IsDirectory;
        var path = DescriptorPath(descriptor);
        if (OverlayLayer.UpperPathOf(path, isWritten) is not { } upper) return false;
        using var file = TryOpen(AT_FDCWD, upper, O_PATH | O_CLOEXEC, 0, out _);
        return file is not null && FileSystemMagic(file) == TMPFS_MAGIC;
    }

    private static long MagicOf(int descriptor)
    {
        LibCExtras.statfs status;
        if (fstatfs(descriptor, &status) != 0) throw LinuxError.ToException(errno, "fstatfs", $"descriptor {descriptor}");
        return status.f_type;
    }

    private static long HugePageBytes(int descriptor)
    {
        LibCExtras.statfs status;
        return fstatfs(descriptor, &status) == 0 && status.f_type == HUGETLBFS_MAGIC ? status.f_bsize : 0;
    }
}
