using ShmIpc.Interop;
using static ShmIpc.Interop.LibCExtras;

namespace ShmIpc.Memory;

/// <summary>Everything that limits how much memory this process may map, lock and take, read at one time. Sizes in bytes; null what cannot
/// be read, and where a limit is not set.</summary>
public sealed class MemoryLimits
{
    /// <summary>The size of a page.</summary>
    public long PageSizeBytes { get; init; }

    /// <summary>RLIMIT_MEMLOCK (<c>ulimit -l</c>): memory that may be locked.</summary>
    public ResourceLimit? LockedMemory { get; init; }

    /// <summary>RLIMIT_AS (<c>ulimit -v</c>): address space that may be in use.</summary>
    public ResourceLimit? AddressSpace { get; init; }

    /// <summary>RLIMIT_DATA (<c>ulimit -d</c>): private writable memory.</summary>
    public ResourceLimit? PrivateMemory { get; init; }

    /// <summary>RLIMIT_STACK (<c>ulimit -s</c>): the main thread's stack.</summary>
    public ResourceLimit? Stack { get; init; }

    /// <summary>RLIMIT_FSIZE (<c>ulimit -f</c>): the length of a file that the process writes, also in <c>/dev/shm</c>.</summary>
    public ResourceLimit? FileSize { get; init; }

    /// <summary>RLIMIT_NOFILE (<c>ulimit -n</c>): how many files may be open.</summary>
    public ResourceLimit? OpenFiles { get; init; }

    /// <summary>How many files are open.</summary>
    public long? OpenFileCount { get; init; }

    /// <summary>Address space in use.</summary>
    public long? AddressSpaceBytes { get; init; }

    /// <summary>Private writable memory in use.</summary>
    public long? PrivateMemoryBytes { get; init; }

    /// <summary>Memory that is locked.</summary>
    public long? LockedBytes { get; init; }

    /// <summary>Whether the process may lock more than <see cref="LockedMemory"/> says (CAP_IPC_LOCK).</summary>
    public bool? MayLockBeyondLimit { get; init; }

    /// <summary>How many mappings the process has.</summary>
    public long? MappingCount { get; init; }

    /// <summary>How many it may have (<c>vm.max_map_count</c>).</summary>
    public long? MostMappings { get; init; }

    /// <summary>The machine's memory.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>What of it can be taken without swapping (<c>MemAvailable</c>).</summary>
    public long? AvailableBytes { get; init; }

    /// <summary>The machine's swap.</summary>
    public long? TotalSwapBytes { get; init; }

    /// <summary>What of it is free.</summary>
    public long? FreeSwapBytes { get; init; }

    /// <summary>The limit of the control group (a container, a service) that leaves least; null for none.</summary>
    public long? ControlGroupLimitBytes { get; init; }

    /// <summary>What that limit leaves, swap and caches that can be given up included; null for no limit.</summary>
    public long? ControlGroupAvailableBytes { get; init; }

    /// <summary>How much memory the machine promises.</summary>
    public OvercommitMode? Overcommit { get; init; }

    /// <summary>Up to where it promises memory when <see cref="Overcommit"/> is <see cref="OvercommitMode.Never"/>.</summary>
    public long? CommitLimitBytes { get; init; }

    /// <summary>What it has promised.</summary>
    public long? CommittedBytes { get; init; }

    /// <summary>The pools of huge pages, the smallest pages first; empty where the kernel has none.</summary>
    public IReadOnlyList<HugePagePool> HugePagePools { get; init; } = [];

    /// <summary>When anonymous memory gets transparent huge pages: the kernel's word, <c>always</c>, <c>madvise</c> or
    /// <c>never</c>.</summary>
    public string? TransparentHugePages { get; init; }

    /// <summary>When shared memory does: <c>always</c>, <c>within_size</c>, <c>advise</c>, <c>never</c>, <c>deny</c> or
    /// <c>force</c>.</summary>
    public string? SharedTransparentHugePages { get; init; }

    /// <summary>The size of <c>/dev/shm</c>; null where there is none.</summary>
    public FileSystemRoom? SharedMemory { get; init; }

    /// <summary>Reads them all: some small files of <c>/proc</c> and <c>/sys</c>, and the lists of this process's mappings and open
    /// files.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    public static MemoryLimits Read()
    {
        LinuxPlatform.Require();
        return Read("/");
    }

    /// <param name="root">The root of the file system; another one for tests, where the limits of <c>ulimit</c> are still those of this
    /// process.</param>
    internal static MemoryLimits Read(string root)
    {
        var machine = MachineMemory.Read(root);
        var status = ProcessStatus.ReadOwn(root);
        var group = ControlGroupMemory.Tightest(machine.FreeSwapBytes ?? 0, root);
        var isGroupLimited = group.LimitBytes != long.MaxValue;
        return new MemoryLimits
        {
            PageSizeBytes = LinuxProcess.PageSizeBytes,
            LockedMemory = Limit(RLIMIT_MEMLOCK),
            AddressSpace = Limit(RLIMIT_AS),
            PrivateMemory = Limit(RLIMIT_DATA),
            Stack = Limit(RLIMIT_STACK),
            FileSize = Limit(RLIMIT_FSIZE),
            OpenFiles = Limit(RLIMIT_NOFILE),
            OpenFileCount = CountOpenFiles(Path.Combine(root, "proc/self/fd")),
            AddressSpaceBytes = status.AddressSpaceBytes,
            PrivateMemoryBytes = status.DataBytes,
            LockedBytes = status.LockedBytes,
            MayLockBeyondLimit = status.MayLockBeyondLimit,
            MappingCount = KernelFile.LineCount(Path.Combine(root, "proc/self/maps")),
            MostMappings = Number("proc/sys/vm/max_map_count"),
            TotalBytes = machine.TotalBytes,
            AvailableBytes = machine.AvailableBytes,
            TotalSwapBytes = machine.TotalSwapBytes,
            FreeSwapBytes = machine.FreeSwapBytes,
            ControlGroupLimitBytes = isGroupLimited ? group.LimitBytes : null,
            ControlGroupAvailableBytes = isGroupLimited ? group.AvailableBytes : null,
            Overcommit = (OvercommitMode?)(int?)Number("proc/sys/vm/overcommit_memory"),
            CommitLimitBytes = machine.CommitLimitBytes,
            CommittedBytes = machine.CommittedBytes,
            HugePagePools = HugePagePool.ReadAll(root),
            TransparentHugePages = Choice("sys/kernel/mm/transparent_hugepage/enabled"),
            SharedTransparentHugePages = Choice("sys/kernel/mm/transparent_hugepage/shmem_enabled"),
            SharedMemory = LinuxFile.RoomAt(Path.Combine(root, "dev/shm")) is { } room
                ? room.TotalBytes == 0 ? new FileSystemRoom(null, null) : new FileSystemRoom(room.TotalBytes, room.AvailableBytes)
                : null,
        };

        long? Number(string path) => KernelFile.Number(Path.Combine(root, path));

        // "always [madvise] never"
        string? Choice(string path) =>
            KernelFile.Text(Path.Combine(root, path))?.Split('[', 2) is [_, var rest] && rest.IndexOf(']') is > 0 and var end
                ? rest[..end]
                : null;
    }

    private static ResourceLimit? Limit(int resource) =>
        LinuxLimits.Of(resource) is { } limit ? new ResourceLimit(limit.Soft, limit.Hard) : null;

    private static long? CountOpenFiles(string directory)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(directory).LongCount() - 1; // without that of the listing itself
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
