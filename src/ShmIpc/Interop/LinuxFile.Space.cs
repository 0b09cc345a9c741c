// The size of a file and the room in its file system. Space is taken before it is mapped, so that a full file system is an exception
// of whoever takes the space, and never a SIGBUS of whoever touches it later.

using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe partial class LinuxFile
{
    // posix_fallocate starts over when a signal interrupts it, and the runtime stops threads by signals: small steps get there.
    private const long AllocationStepBytes = 64L << 20;

    private const int BlockBytes = 512; // the unit of st_blocks, whatever the file system's own

    // The fields of C's struct cachestat.
    private const int CachedPages = 0;
    private const int EvictedPages = 3;
    private const int CachestatCounts = 5;

    /// <summary>Sets the length; what is beyond it is gone, what is new is zero and not yet allocated.</summary>
    public static void SetLength(SafeFileHandle file, long lengthBytes)
    {
        CrashPoint.BeforeCall("ftruncate");
        using var descriptor = new BorrowedDescriptor(file);
        RefuseTooLong(descriptor.Number, lengthBytes, "ftruncate");
        while (ftruncate(descriptor.Number, lengthBytes) != 0)
        {
            var failure = errno;
            if (failure == EINTR) continue;
            MemoryRequest request = new() { LengthBytes = lengthBytes, Descriptor = descriptor.Number };
            throw LinuxError.ToException(failure, "ftruncate", $"length {lengthBytes}", request: request);
        }
    }

    /// <summary>Takes the space of a range of the file, and lengthens the file where it ends before the range does.</summary>
    /// <exception cref="ShmNoSpaceException">There is not enough room; whatever was taken stays with the file.</exception>
    public static void Allocate(SafeFileHandle file, long offset, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        using var descriptor = new BorrowedDescriptor(file);
        var end = checked(offset + lengthBytes);
        RefuseTooLong(descriptor.Number, end, "posix_fallocate");
        RefuseHopeless(descriptor.Number, offset, lengthBytes);
        var position = offset;
        while (position < end)
        {
            var step = Math.Min(AllocationStepBytes, end - position);
            CrashPoint.BeforeCall("posix_fallocate");
            var failure = posix_fallocate(descriptor.Number, position, step); // returns the errno, and leaves errno alone
            if (failure == 0) position += step;
            else if (failure == ENOSPC || failure == EDQUOT) throw NoSpace(failure, descriptor.Number, offset, lengthBytes);
            else if (failure != EINTR)
            {
                MemoryRequest request = new() { Offset = offset, LengthBytes = lengthBytes, Descriptor = descriptor.Number };
                throw LinuxError.ToException(failure, "posix_fallocate", $"offset {offset}, length {lengthBytes}", request: request);
            }
        }
    }

    /// <summary>Bytes free for an ordinary user in the file system that holds the file.</summary>
    public static long AvailableBytes(SafeFileHandle file)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return Room(descriptor.Number).AvailableBytes;
    }

    /// <summary>The size of the file system that a path is in, 0 for a tmpfs without a limit, and what is free; null when that cannot be
    /// read.</summary>
    public static (long AvailableBytes, long TotalBytes)? RoomAt(string path)
    {
        using var directory = TryOpen(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, out _);
        if (directory is null) return null;
        using var descriptor = new BorrowedDescriptor(directory);
        return Room(descriptor.Number);
    }

    /// <summary>The exception for a range that found no room, with what was asked for and what there is.</summary>
    public static ShmNoSpaceException NoSpace(SafeFileHandle file, long offset, long lengthBytes)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return NoSpace(ENOSPC, descriptor.Number, offset, lengthBytes);
    }

    private static ShmNoSpaceException NoSpace(int failure, int descriptor, long offset, long lengthBytes)
    {
        var (availableBytes, totalBytes) = Room(descriptor);
        if (HugePageBytes(descriptor) is > 0 and var pageBytes)
        {
            var missingBytes = Math.Max(pageBytes, lengthBytes - (long)StatusOf(descriptor).st_blocks * BlockBytes);
            var shortage = HugePageShortage.Find(pageBytes, missingBytes);
            return new ShmNoSpaceException(
                LinuxError.Describe(failure, "posix_fallocate", $"offset {offset}, length {lengthBytes}") + (shortage is null
                    ? $" The pool of huge pages has enough: the mount has a limit (`size=`), and {availableBytes} bytes left of it, or " +
                        "the control group has one (hugetlb.*.max). Raise it, or ask for less."
                    : $" {shortage.Reason} {shortage.Cure}"),
                lengthBytes,
                shortage?.AvailableBytes ?? availableBytes)
            { ErrorNumber = failure };
        }

        if (totalBytes == 0) // the tmpfs that memfds are in has no size of its own
        {
            return new ShmNoSpaceException(
                LinuxError.Describe(failure, "posix_fallocate", $"offset {offset}, length {lengthBytes}") +
                $" {lengthBytes} bytes of memory were asked for, and the machine may promise no more (vm.overcommit_memory is 2:" +
                " compare CommitLimit and Committed_AS in /proc/meminfo). Ask for less, free memory, or raise vm.overcommit_ratio.",
                lengthBytes,
                availableBytes: -1)
            { ErrorNumber = failure };
        }

        var quota = failure == EDQUOT ? " The user's quota is what ran out." : "";
        return new ShmNoSpaceException(
            LinuxError.Describe(failure, "posix_fallocate", $"offset {offset}, length {lengthBytes}") +
            $" {lengthBytes} bytes were asked for; the file system has {availableBytes} bytes free of {totalBytes}.{quota}" +
            " Ask for a smaller capacity, remove what is no longer used, or enlarge the file system (for /dev/shm: `mount -o " +
            "remount,size=2G /dev/shm`, in a container `docker run --shm-size=2g`).",
            lengthBytes,
            availableBytes)
        { ErrorNumber = failure };
    }

    /// <summary>Refuses a range whose space certainly cannot all be taken, or that the machine has too little memory for. Takes
    /// nothing.</summary>
    /// <exception cref="ShmNoSpaceException">There is not enough room.</exception>
    public static void RequireRoom(SafeFileHandle file, long offset, long lengthBytes)
    {
        using var descriptor = new BorrowedDescriptor(file);
        RefuseHopeless(descriptor.Number, offset, lengthBytes);
    }

    /// <summary>How much of a range has no space yet, at least: all that lies beyond the end of the file, and more where the whole file has
    /// less than the range is long.</summary>
    internal static long MissingBytes(long offset, long lengthBytes, long sizeBytes, long takenBytes) =>
        Math.Max(lengthBytes - takenBytes, Math.Min(lengthBytes, offset + lengthBytes - sizeBytes));

    // Steps that succeed before one fails would fill the file system for everybody, and a tmpfs that is larger than the memory behind
    // it would kill processes instead. So what certainly cannot fit takes nothing.
    private static void RefuseHopeless(int descriptor, long offset, long lengthBytes)
    {
        var status = StatusOf(descriptor);
        var takenBytes = (long)status.st_blocks * BlockBytes;
        if (takenBytes >= status.st_size && offset + lengthBytes <= status.st_size) return; // no holes
        if (Hopeless(descriptor, offset, lengthBytes, lengthBytes) is null) return; // fits even where nothing of it has space
        takenBytes = TakenBytes(descriptor, offset, lengthBytes) ?? Math.Max(takenBytes, DataBytes(descriptor, offset, lengthBytes));
        var missingBytes = MissingBytes(offset, lengthBytes, status.st_size, takenBytes);
        if (missingBytes > 0 && Hopeless(descriptor, offset, lengthBytes, missingBytes) is { } refusal) throw refusal;
    }

    private static ShmNoSpaceException? Hopeless(int descriptor, long offset, long lengthBytes, long missingBytes)
    {
        statvfs room;
        if (fstatvfs(descriptor, &room) == 0
            && (ulong)room.f_blocks != 0 // a tmpfs without a limit says 0
            && missingBytes > ToBytes(room.f_bfree, room.f_frsize))
        {
            return NoSpace(ENOSPC, descriptor, offset, lengthBytes);
        }

        if (IsInMemory(descriptor) && LinuxMemory.Shortage(missingBytes) is { } shortage) return shortage;
        return HugePageBytes(descriptor) is > 0 and var pageBytes && HugePageShortage.Find(pageBytes, missingBytes) is { IsCertain: true }
            ? NoSpace(ENOSPC, descriptor, offset, lengthBytes)
            : null;
    }

    /// <summary>How much of a range of a file on a tmpfs has space: there, every page that has is in the page cache or in swap. Null
    /// elsewhere, where the cache says nothing of the disk, and before Linux 6.5.</summary>
    internal static long? TakenBytes(SafeFileHandle file, long offset, long lengthBytes)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return TakenBytes(descriptor.Number, offset, lengthBytes);
    }

    private static long? TakenBytes(int descriptor, long offset, long lengthBytes)
    {
        if (MagicOf(descriptor) != TMPFS_MAGIC) return null;
        var range = stackalloc ulong[] { (ulong)offset, (ulong)lengthBytes };
        var counts = stackalloc ulong[CachestatCounts];
        if ((long)(ssize_t)syscall(SYS_cachestat, descriptor, range, counts, 0) != 0) return null;
        return (long)(counts[CachedPages] + counts[EvictedPages]) * LinuxProcess.PageSizeBytes;
    }

    /// <summary>How much of a range has been written. Where a file system compresses, that is more than its blocks hold, and takes no more
    /// of them. Zero where the file cannot be opened anew: to seek moves the position of everybody who has this descriptor. One that cannot
    /// tell holes from data calls all of the file data.</summary>
    internal static long DataBytes(SafeFileHandle file, long offset, long lengthBytes)
    {
        using var descriptor = new BorrowedDescriptor(file);
        return DataBytes(descriptor.Number, offset, lengthBytes);
    }

    private static long DataBytes(int descriptor, long offset, long lengthBytes)
    {
        if (HugePageBytes(descriptor) != 0) return 0; // hugetlbfs cannot tell, and its blocks are exact
        using var own = TryOpen(AT_FDCWD, DescriptorPath(descriptor), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, out _);
        if (own is null) return 0;
        using var number = new BorrowedDescriptor(own);
        var (dataBytes, end) = (0L, offset + lengthBytes);
        for (var at = offset; at < end;)
        {
            var start = (long)lseek(number.Number, at, SEEK_DATA);
            if (start < 0 || start >= end) break;
            at = (long)lseek(number.Number, start, SEEK_HOLE);
            if (at <= start) break; // the file became shorter meanwhile
            dataBytes += Math.Min(at, end) - start;
        }

        return dataBytes;
    }

    // The kernel does not only refuse a file that is too long for this process: it ends the process with SIGXFSZ, unless that is ignored.
    private static void RefuseTooLong(int descriptor, long lengthBytes, string operation)
    {
        rlimit limit;
        if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < (ulong)lengthBytes && StatusOf(descriptor).st_size < lengthBytes)
        {
            MemoryRequest request = new() { LengthBytes = lengthBytes, Descriptor = descriptor };
            throw LinuxError.ToException(EFBIG, operation, $"length {lengthBytes}", request: request);
        }
    }

    private static (long AvailableBytes, long TotalBytes) Room(int descriptor)
    {
        statvfs room;
        if (fstatvfs(descriptor, &room) != 0) throw LinuxError.ToException(errno, "fstatvfs", $"descriptor {descriptor}");
        return (ToBytes(room.f_bavail, room.f_frsize), ToBytes(room.f_blocks, room.f_frsize));
    }

    private static long ToBytes(ulong blocks, ulong blockBytes) => (long)UInt128.Min(long.MaxValue, (UInt128)blocks * blockBytes);

    private static stat StatusOf(int descriptor)
    {
        stat status;
        if (fstat(descriptor, &status) != 0) throw LinuxError.ToException(errno, "fstat", $"descriptor {descriptor}");
        return status;
    }
}
