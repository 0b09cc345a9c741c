using ShmIpc.Interop;

namespace ShmIpc.Diagnostics;

/// <summary>Looks at the machine and the process for whatever could keep shared memory from working, or make it slow.</summary>
public static class Doctor
{
    private static readonly Func<ExaminedMachine, Finding>[] _checks =
    [
        MachineChecks.Kernel, MachineChecks.WaitingForMany, MachineChecks.Barriers, MachineChecks.Seals, MachineChecks.Populating,
        MachineChecks.Processors,
        SharedMemoryChecks.SharedMemory, SharedMemoryChecks.RegionRoot,
        MemoryChecks.Available, MemoryChecks.ControlGroup, MemoryChecks.Overcommit, MemoryChecks.Swap,
        ProcessChecks.LockedMemory, ProcessChecks.OpenFiles, ProcessChecks.AddressSpace, ProcessChecks.FileSize, ProcessChecks.Mappings,
        HugePageChecks.Pools, HugePageChecks.Anonymous, HugePageChecks.Shared,
    ];

    /// <summary>Looks at everything. It changes nothing, takes some milliseconds, and throws on no platform: where ShmIpc cannot run at
    /// all, that is the one finding.</summary>
    /// <returns>One finding for each thing that was looked at, always in the same order, those in order included.</returns>
    public static IReadOnlyList<Finding> Run() =>
        LinuxPlatform.IsSupported
            ? Examine(ExaminedMachine.Read())
            : [new Finding(
                Severity.Problem, "platform", $"This is {LinuxPlatform.Description}.", "Use Linux on x64 or arm64 with glibc, which is " +
                    "what ShmIpc runs on.")];

    internal static IReadOnlyList<Finding> Examine(ExaminedMachine machine) =>
    [
        new Finding(Severity.Ok, "platform", $"This is {LinuxPlatform.Description}."),
        .. _checks.Select(check => check(machine)),
    ];
}
