// memory limits: everything that limits how much memory this process may map, lock and take.
using System.CommandLine;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class LimitsCommand
{
    public static Command Create()
    {
        var command = new Command("limits", "Shows everything that limits how much memory this process may map, lock and take");
        command.SetAction(_ => Run(MemoryLimits.Read()));
        return command;
    }

    private static void Run(MemoryLimits limits)
    {
        Say("page", Size(limits.PageSizeBytes));
        Say("memory", $"{Size(limits.AvailableBytes)} available of {Size(limits.TotalBytes)}");
        Say("swap", $"{Size(limits.FreeSwapBytes)} free of {Size(limits.TotalSwapBytes)}");
        Say("control group", limits.ControlGroupLimitBytes is { } most ? $"{Size(limits.ControlGroupAvailableBytes)} left of {Size(most)}" : "no limit");
        Say("/dev/shm", limits.SharedMemory switch
        {
            null => "not there",
            { TotalBytes: null } => "no limit of its own",
            { } room => $"{Size(room.AvailableBytes)} free of {Size(room.TotalBytes)}",
        });
        Say("promises", $"{limits.Overcommit}; {Size(limits.CommittedBytes)} promised, {Size(limits.CommitLimitBytes)} the limit of Never");
        Say("locked memory", $"{Size(limits.LockedBytes)} of {Limit(limits.LockedMemory)}{(limits.MayLockBeyondLimit == true ? ", and beyond" : "")}");
        Say("address space", $"{Size(limits.AddressSpaceBytes)} of {Limit(limits.AddressSpace)}");
        Say("private memory", $"{Size(limits.PrivateMemoryBytes)} of {Limit(limits.PrivateMemory)}");
        Say("mappings", $"{limits.MappingCount} of {limits.MostMappings}");
        Say("open files", $"{limits.OpenFileCount} of {limits.OpenFiles?.Soft}");
        Say("file size", Limit(limits.FileSize));
        Say("stack", Limit(limits.Stack));
        foreach (var pool in limits.HugePagePools)
        {
            Say($"pages of {ByteSize.Format(pool.PageSizeBytes)}", $"{pool.Available} available of {pool.Total}, {pool.MostSurplus} more on demand");
        }

        Say("huge by itself", $"{limits.TransparentHugePages ?? "?"}; shared memory: {limits.SharedTransparentHugePages ?? "?"}");
    }

    private static void Say(string what, string value) => Console.WriteLine($"{what,-18} {value}");

    private static string Size(long? bytes) => bytes is { } known ? ByteSize.Format(known) : "?";

    private static string Limit(ResourceLimit? limit) => limit is not { } known ? "?" : known.Soft is { } soft ? ByteSize.Format(soft) : "unlimited";
}
