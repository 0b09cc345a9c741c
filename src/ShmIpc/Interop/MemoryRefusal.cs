// Why a call of the mmap family was refused: every errno that the manual pages of these calls name, with what it means, and with the likely
// causes, which are looked at when it happens. Only what is found is told; where nothing is found, the meaning is.

using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static class MemoryRefusal
{
    private const string Locking = "mlock mlock2 munlock mlockall munlockall";
    private const string Opening = "open openat shm_open";
    private const string Lengthening = "ftruncate fallocate posix_fallocate";

    /// <summary>All rows; no two for the same errno and call.</summary>
    public static IReadOnlyList<RefusalRow> Rows { get; } =
    [
        new(ENOMEM, "mmap mremap",
            "The kernel refused the memory, and the limits that it is held against (address space, data, number of mappings, memory " +
            "that may be committed, control group) have room now: it may have been short for a moment. Try again, or map less.",
            RangeChecks.BeyondAddressSpace, ShortageChecks.AddressSpaceLimit, ShortageChecks.DataLimit, ShortageChecks.HugePool,
            ShortageChecks.Mappings, ShortageChecks.Commitment, ShortageChecks.Memory),
        new(ENOMEM, "munmap mprotect madvise msync mincore",
            "Part of the range is not mapped, or splitting a mapping in two would be one too many (vm.max_map_count), or the kernel is " +
            "short of memory.",
            RangeChecks.Unmapped, ShortageChecks.DataLimit, ShortageChecks.Mappings, ShortageChecks.Commitment, ShortageChecks.Memory),
        new(ENOMEM, Locking,
            "Memory is locked up to RLIMIT_MEMLOCK only, or part of the range is not mapped, or the process has too many mappings. " +
            "Raise the limit with `ulimit -l` or `LimitMEMLOCK=`, or give the process CAP_IPC_LOCK.",
            ShortageChecks.LockLimit, RangeChecks.Unmapped, ShortageChecks.Mappings, ShortageChecks.Memory),
        new(ENOMEM, "memfd_create " + Opening + " " + Lengthening,
            "The kernel is short of memory for that file: free memory, or ask for less.",
            ShortageChecks.HugePool, ShortageChecks.Memory),

        new(EACCES, "mmap",
            "The file is not open for that: every mapping reads, a shared writable one needs a file that is open for reading and " +
            "writing, and only a regular file or a device can be mapped.",
            DescriptorChecks.OpenMode, DescriptorChecks.NotRegular),
        new(EACCES, "mprotect",
            "The memory may not be used like that: it is a shared mapping of a file that was opened read-only, or of a sealed memfd, or " +
            "is to be executable on a file system that is mounted noexec, or a policy (SELinux) forbids it. Map it anew from a file " +
            "that is opened for this."),

        new(EAGAIN, "mmap mremap",
            "The mapping is to be locked (MAP_LOCKED, mlockall), and RLIMIT_MEMLOCK does not allow that many bytes.",
            ShortageChecks.LockLimit),
        new(EAGAIN, Locking,
            "Some of the pages could not be locked: there was no memory for them, or they lie beyond the end of their file. Try again " +
            "with less.",
            ShortageChecks.LockLimit, ShortageChecks.Memory),
        new(EAGAIN, "madvise",
            "The kernel lacks something for a moment, or splitting a mapping in two would be one too many (vm.max_map_count): try again.",
            ShortageChecks.Mappings, ShortageChecks.Memory),

        new(EPERM, "mmap",
            "The kernel forbids this mapping: a seal of the memfd, a file system that is mounted noexec, an address that is too low, " +
            "huge pages that this group may not have (vm.hugetlb_shm_group), or a policy (seccomp, SELinux).",
            RangeChecks.LowAddress, DescriptorChecks.NotExecutable, DescriptorChecks.Seals),
        new(EPERM, "mprotect munmap mremap madvise",
            "The mapping is sealed (mseal), or this advice takes CAP_SYS_ADMIN, or a policy (seccomp, SELinux) forbids the call."),
        new(EPERM, Locking,
            "The process may lock no memory at all: RLIMIT_MEMLOCK is 0 and it has no CAP_IPC_LOCK. Raise it with `ulimit -l` or " +
            "`LimitMEMLOCK=`.",
            ShortageChecks.LockLimit),
        new(EPERM, Lengthening,
            "The file may not change its length: a seal of the memfd, or the file is append-only or immutable (`lsattr`).",
            DescriptorChecks.Seals),
        new(EPERM, "memfd_create",
            "This group may not have huge pages (vm.hugetlb_shm_group) and the process has no CAP_IPC_LOCK, or a policy (seccomp) " +
            "forbids memfds."),
        new(EPERM, "fcntl", "Seals can be added no more (F_SEAL_SEAL), or the memfd is not open for writing.", DescriptorChecks.Seals),

        new(EINVAL, "mmap munmap mremap mprotect msync madvise mincore " + Locking,
            "The kernel does not know that combination of address, length, offset and flags: addresses and offsets are multiples of the " +
            "page size (of the huge page's, for huge pages), lengths are positive, and an older kernel lacks some flags and advices.",
            RangeChecks.Length, RangeChecks.Alignment),
        new(EINVAL, "memfd_create",
            "The name is longer than 249 bytes, or this kernel does not know one of the flags (a size of huge pages, MFD_NOEXEC_SEAL)."),
        new(EINVAL, Lengthening,
            "The length or offset is negative, or the file is not open for writing, or is of a kind that has no length.",
            RangeChecks.Length, DescriptorChecks.OpenMode, DescriptorChecks.NotRegular),

        new(ENODEV, "mmap fallocate posix_fallocate",
            "The file is of a kind that cannot be mapped or allocated; use one on tmpfs (/dev/shm), ext4, xfs or btrfs, or a memfd.",
            DescriptorChecks.NotRegular, DescriptorChecks.FileSystem),
        new(ENODEV, "memfd_create", "This kernel has no huge pages of that size: `ls /sys/kernel/mm/hugepages` shows the sizes that it " +
            "has."),
        new(EOVERFLOW, "mmap " + Opening,
            "The range ends beyond the largest offset that a file can have.", RangeChecks.BeyondFile),
        new(ENXIO, "mmap " + Opening, "The device or the other end of the file is not there, or the range is not part of it."),

        new(EBADF, "mmap fcntl " + Lengthening, "The descriptor is closed, or was not opened for this kind of " +
            "access.", DescriptorChecks.OpenMode),
        new(EBADF, "madvise", "The mapping is not of a file, and this advice is for files only."),
        new(EEXIST, "mmap", "Something is mapped there, and MAP_FIXED_NOREPLACE replaces nothing: choose another " +
            "address.", RangeChecks.Taken),
        new(EEXIST, Opening, "The name is taken: choose another, open what is there, or remove it."),
        new(EBUSY, "msync", "Locked memory cannot be invalidated (MS_INVALIDATE): unlock it first.", ShortageChecks.Locked),
        new(EBUSY, "fcntl", "The memfd is mapped writable, so that it cannot be sealed against writing: unmap it first, or use " +
            "F_SEAL_FUTURE_WRITE."),
        new(EFAULT, "madvise mremap mincore msync",
            "Part of the range cannot be touched: nothing is mapped there, or it lies beyond the end of its file, or there is no memory " +
            "for it.",
            RangeChecks.Unmapped, ShortageChecks.HugePool, ShortageChecks.Memory),
        new(EFAULT, "memfd_create " + Opening, "The name was not readable memory."),
        new(EHWPOISON, "madvise", "A page of the range is on memory that is broken: replace the memory (kernel log, `mcelog`)."),
        new(EIO, "madvise", "Pages of the range could not be read from the disk or from swap: check the disk (kernel log)."),

        new(EFBIG, Lengthening,
            "The file would be larger than its file system allows: ask for less, or use another file " +
            "system.", DescriptorChecks.FileSizeLimit),
        new(ENOSPC, Lengthening, "The file system is full: free space, enlarge it, or ask for less.", DescriptorChecks.Room),
        new(EOPNOTSUPP, "mmap", "The file system cannot do that kind of mapping (MAP_SYNC needs a file on DAX " +
            "memory).", DescriptorChecks.FileSystem),
        new(EOPNOTSUPP, "fallocate posix_fallocate",
            "The file system cannot do that; use tmpfs (/dev/shm), ext4, xfs or btrfs.", DescriptorChecks.FileSystem),
        new(ESPIPE, Lengthening, "The file is a pipe, which has no length.", DescriptorChecks.NotRegular),
        new(EISDIR, Lengthening + " " + Opening, "It is a directory, which cannot be written to."),
        new(ETXTBSY, "mmap " + Lengthening + " " + Opening,
            "The file is a program that runs right now, or swap space: write a new file and rename it over this one."),

        new(EMFILE, "memfd_create " + Opening,
            "The process has as many files open as RLIMIT_NOFILE lets it; raise it with `ulimit -n`.", DescriptorChecks.OpenFiles),
        new(ENFILE, "mmap memfd_create " + Opening,
            "The whole machine has as many files open as it may (fs.file-max).", DescriptorChecks.MachineFiles),
        new(ENAMETOOLONG, "stat " + Opening,
            "A name in the path has more than 255 bytes, or the whole path more than 4095: choose a shorter one."),
        new(EINTR, "mmap madvise msync memfd_create mlock mlock2 " + Opening + " " + Lengthening, "A signal came first: try again."),
    ];

    /// <summary>Why the call failed: what was found on the spot, or else what the number means; null for a call or a number that is not of
    /// this family.</summary>
    public static string? Explain(int errno, string operation, MemoryRequest request)
    {
        foreach (var row in Rows)
        {
            if (row.Applies(errno, operation)) return Found(row, request) ?? row.Meaning;
        }

        return null;
    }

    private static string? Found(RefusalRow row, MemoryRequest request)
    {
        string? found = null;
        foreach (var check in row.Checks)
        {
            if (check(request) is { } sentence) found = found is null ? sentence : $"{found} {sentence}";
        }

        return found;
    }
}
