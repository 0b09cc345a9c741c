using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>How much memory a process has, in all: what <c>/proc/PID/status</c> and, where asked for, <c>smaps_rollup</c> say. Sizes in
/// bytes; null what this kernel does not say.</summary>
public sealed class ProcessMemory
{
    private const string StatusFile = "status";
    private const string TotalsFile = "smaps_rollup";

    private readonly ProcessStatus _status;

    private ProcessMemory(ProcessStatus status, ProcessMappingSizes? totals) => (_status, Totals) = (status, totals);

    /// <summary><c>VmSize</c>: address space in use, which RLIMIT_AS limits.</summary>
    public long? AddressSpaceBytes => _status.AddressSpaceBytes;

    /// <summary><c>VmPeak</c>: the most that it ever was.</summary>
    public long? PeakAddressSpaceBytes => _status.Bytes("VmPeak");

    /// <summary><c>VmRSS</c>: pages in memory. The kernel counts them roughly; <see cref="Totals"/> is exact.</summary>
    public long? ResidentBytes => _status.Bytes("VmRSS");

    /// <summary><c>VmHWM</c>: the most that it ever was.</summary>
    public long? PeakResidentBytes => _status.Bytes("VmHWM");

    /// <summary><c>RssAnon</c>: of these, pages of no file.</summary>
    public long? ResidentAnonymousBytes => _status.Bytes("RssAnon");

    /// <summary><c>RssFile</c>: of these, pages of files on disks.</summary>
    public long? ResidentFileBytes => _status.Bytes("RssFile");

    /// <summary><c>RssShmem</c>: of these, shared memory (tmpfs, memfd, shared anonymous memory).</summary>
    public long? ResidentSharedMemoryBytes => _status.Bytes("RssShmem");

    /// <summary><c>VmData</c>: private writable memory, which RLIMIT_DATA limits.</summary>
    public long? DataBytes => _status.DataBytes;

    /// <summary><c>VmLck</c>: address space that is locked in memory, which RLIMIT_MEMLOCK limits.</summary>
    public long? LockedBytes => _status.LockedBytes;

    /// <summary><c>VmPin</c>: pages that devices hold.</summary>
    public long? PinnedBytes => _status.Bytes("VmPin");

    /// <summary><c>VmSwap</c>: anonymous pages that are in swap.</summary>
    public long? SwapBytes => _status.Bytes("VmSwap");

    /// <summary><c>HugetlbPages</c>: pages of huge page pools, which count as resident nowhere else.</summary>
    public long? PoolPageBytes => _status.Bytes("HugetlbPages");

    /// <summary>The sums of <c>smaps_rollup</c>, the shared parts and <c>Pss</c> among them; null when they were not asked for.</summary>
    public ProcessMappingSizes? Totals { get; }

    /// <summary>Reads how much memory a process has.</summary>
    /// <param name="processId">The process; null for this one.</param>
    /// <param name="withTotals">Reads <c>smaps_rollup</c> too: the kernel looks at every page for it. Default: false.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The id is not positive.</exception>
    /// <exception cref="UnauthorizedAccessException">The process belongs to another user, or hides itself.</exception>
    /// <exception cref="ShmException">There is no such process, or it ended meanwhile.</exception>
    public static ProcessMemory Read(int? processId = null, bool withTotals = false)
    {
        LinuxPlatform.Require();
        var path = ProcessMaps.PathOf(processId, StatusFile);
        ProcessMaps.Open(path).Dispose();
        return new ProcessMemory(new ProcessStatus(KernelFile.Text(path)), withTotals ? ReadTotals(processId) : null);
    }

    private static ProcessMappingSizes ReadTotals(int? processId)
    {
        var path = ProcessMaps.PathOf(processId, TotalsFile);
        using var file = ProcessMaps.Open(path);
        ProcessMappingSizes totals = new();
        while (file.TryReadLine(out var line)) totals.Take(line); // the first line is of the form of maps, and has no colon before a size
        return file.Failure == 0 ? totals : throw ProcessMaps.Refuse(file.Failure, "read", path);
    }
}
