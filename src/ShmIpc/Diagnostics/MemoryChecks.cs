// The machine's memory, and the control group's.

using ShmIpc.Memory;

namespace ShmIpc.Diagnostics;

internal static class MemoryChecks
{
    private const long LittleBytes = 256L << 20;

    public static Finding Available(ExaminedMachine machine)
    {
        const string Subject = "memory";
        return machine.Limits switch
        {
            { AvailableBytes: not { } } or { TotalBytes: not { } } => new Finding(Severity.Note, Subject, "/proc/meminfo does not say " +
                "how much memory there is."),
            { AvailableBytes: < LittleBytes and var left, TotalBytes: var total } => new Finding(
                Severity.Warning, Subject, $"The machine has {left} bytes of memory left of {total}.", "Free memory, or add some."),
            { AvailableBytes: var left, TotalBytes: var total } => new Finding(Severity.Ok, Subject, $"The machine has {left} bytes of " +
                $"memory left of {total}."),
        };
    }

    public static Finding ControlGroup(ExaminedMachine machine)
    {
        const string Subject = "control group";
        if (machine.Limits is not { ControlGroupLimitBytes: { } limit, ControlGroupAvailableBytes: { } left })
        {
            return new Finding(Severity.Ok, Subject, "No control group limits the memory of this process.");
        }

        const string Cure = "Raise the limit (memory.max; `MemoryMax=`, `docker run --memory=`): regions count against whoever touches " +
            "them first.";
        return new Finding(
            left < LittleBytes ? Severity.Warning : Severity.Note, Subject, $"The control group of this process has {left} bytes left " +
                $"of {limit}.", Cure);
    }

    public static Finding Overcommit(ExaminedMachine machine)
    {
        const string Subject = "overcommit";
        return machine.Limits switch
        {
            { Overcommit: null } => new Finding(Severity.Note, Subject, "vm.overcommit_memory cannot be read."),
            { Overcommit: OvercommitMode.Never, CommitLimitBytes: { } limit, CommittedBytes: { } used } => new Finding(
                limit - used < LittleBytes ? Severity.Warning : Severity.Note,
                Subject, $"The machine promises memory up to {limit} bytes (vm.overcommit_memory=2), of which {used} are promised.",
                "Set vm.overcommit_memory to 0, or raise vm.overcommit_ratio, or add swap."),
            { Overcommit: var mode } => new Finding(Severity.Ok, Subject, $"The machine promises more memory than it has " +
                $"(vm.overcommit_memory={(int)mode!})."),
        };
    }

    public static Finding Swap(ExaminedMachine machine)
    {
        const string Subject = "swap";
        return machine.Limits.TotalSwapBytes switch
        {
            null => new Finding(Severity.Note, Subject, "/proc/meminfo does not say whether there is swap."),
            0 => new Finding(Severity.Ok, Subject, "There is no swap, so that nothing is ever swapped out."),
            { } swap => new Finding(
                Severity.Note, Subject, $"There are {swap} bytes of swap: what has not been used for long may take a trip to the disk.",
                "Lock the memory of a process that must answer in time."),
        };
    }
}
