// Is it that there is not enough of something: address space, mappings, memory, memory that may be locked? Each check answers with a
// sentence and the cure, or null when that is not it, or nobody knows.

using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static class ShortageChecks
{
    private const long NearlyNothingBytes = 16 << 20; // where the length is not known
    private const long FewMappings = 64; // an operation makes up to two more, and others have given some back since

    public static string? AddressSpaceLimit(MemoryRequest request) =>
        LinuxLimits.Soft(RLIMIT_AS) is { } limit && ProcessStatus.ReadOwn().AddressSpaceBytes is { } used
            && IsTooMuch(request, limit - used)
            ? $"The address space of the process is limited to {limit} bytes (RLIMIT_AS), of which {used} are taken: raise it with " +
                "`ulimit -v`, or map less."
            : null;

    public static string? DataLimit(MemoryRequest request) =>
        LinuxLimits.Soft(RLIMIT_DATA) is { } limit && ProcessStatus.ReadOwn().DataBytes is { } used
            && IsTooMuch(request, limit - used)
            ? $"The private writable memory of the process is limited to {limit} bytes (RLIMIT_DATA), of which {used} are taken: raise " +
                "it " +
                "with `ulimit -d`, or map less."
            : null;

    public static string? Mappings(MemoryRequest request)
    {
        _ = request;
        return KernelFile.Number("/proc/sys/vm/max_map_count") is { } limit && KernelFile.LineCount("/proc/self/maps") is { } count
            && count >= limit - FewMappings
            ? $"The process has {count} mappings, of the {limit} that it may have (vm.max_map_count): raise it with " +
                $"`sysctl vm.max_map_count={2 * limit}`, or map fewer and larger ranges."
            : null;
    }

    public static string? HugePool(MemoryRequest request) =>
        request.HugePageBytes > 0 && HugePageShortage.Find(request.HugePageBytes, request.MappedBytes) is { } shortage
            ? $"{shortage.Reason} {shortage.Cure}"
            : null;

    public static string? Commitment(MemoryRequest request)
    {
        var machine = MachineMemory.Read();
        return KernelFile.Number("/proc/sys/vm/overcommit_memory") switch
        {
            0 when request.LengthBytes > machine.TotalBytes + machine.TotalSwapBytes =>
                $"The machine has {machine.TotalBytes} bytes of memory and {machine.TotalSwapBytes} of swap, and promises no more than " +
                "that at once (vm.overcommit_memory=0): map less, or only reserve it (MAP_NORESERVE).",
            2 when machine.CommitLimitBytes - machine.CommittedBytes is { } left && IsTooMuch(request, left) =>
                $"The machine promises memory up to {machine.CommitLimitBytes} bytes (vm.overcommit_memory=2), of which " +
                $"{machine.CommittedBytes} " +
                "are promised: add swap, raise vm.overcommit_ratio, or map less.",
            _ => null,
        };
    }

    public static string? Memory(MemoryRequest request)
    {
        var machine = MachineMemory.Read();
        var group = ControlGroupMemory.Tightest(machine.FreeSwapBytes ?? 0);
        if (group.LimitBytes != long.MaxValue && IsTooMuch(request, group.AvailableBytes))
        {
            return $"The control group of this process has {group.AvailableBytes} bytes left of {group.LimitBytes}: raise its limit " +
                "(memory.max; " +
                "`MemoryMax=`, `docker run --memory=`), or ask for less.";
        }

        return machine.AvailableBytes + machine.FreeSwapBytes is { } left && IsTooMuch(request, left)
            ? $"The machine has {left} bytes of memory and swap left: free memory, or ask for less."
            : null;
    }

    public static string? LockLimit(MemoryRequest request)
    {
        var status = ProcessStatus.ReadOwn();
        if (status.MayLockBeyondLimit == true || LinuxLimits.Soft(RLIMIT_MEMLOCK) is not { } limit) return null;
        var locked = status.LockedBytes ?? 0;
        return limit == 0 || request.LengthBytes == 0 || request.MappedBytes > limit - locked
            ? $"The process may lock {limit} bytes (RLIMIT_MEMLOCK), and {locked} are locked: raise it with `ulimit -l` or " +
                "`LimitMEMLOCK=`, give the " +
                "process CAP_IPC_LOCK, or lock less."
            : null;
    }

    public static string? Locked(MemoryRequest request)
    {
        _ = request;
        return ProcessStatus.ReadOwn().LockedBytes is > 0 and var locked
            ? $"The process has locked {locked} bytes, and locked memory cannot be invalidated (MS_INVALIDATE): unlock it first."
            : null;
    }

    private static bool IsTooMuch(MemoryRequest request, long leftBytes) =>
        request.LengthBytes > 0 ? request.MappedBytes > leftBytes : leftBytes < NearlyNothingBytes;
}
