// The limits of this process.

using ShmIpc.Memory;

namespace ShmIpc.Diagnostics;

internal static class ProcessChecks
{
    private const long UsualLockedBytes = 8L << 20; // the kernel's default; it was 64 KiB before 5.16
    private const long FewFiles = 256;
    private const long TooFewFiles = 32;
    private const long LittleAddressSpaceBytes = 1L << 30;
    private const long UsualMappings = 65530;

    public static Finding LockedMemory(ExaminedMachine machine)
    {
        const string Subject = "locked memory (RLIMIT_MEMLOCK)";
        const string Cure = "Raise it with `ulimit -l` or `LimitMEMLOCK=` (`docker run --ulimit memlock=-1`), or give the process " +
            "CAP_IPC_LOCK.";
        var limits = machine.Limits;
        if (limits.MayLockBeyondLimit == true) return new Finding(Severity.Ok, Subject, "The process may lock any memory (CAP_IPC_LOCK).");
        return limits.LockedMemory switch
        {
            null => Unknown(Subject),
            { Soft: null } => new Finding(Severity.Ok, Subject, "The process may lock any memory."),
            { Soft: 0 } => new Finding(Severity.Warning, Subject, "The process may lock no memory.", Cure),
            { Soft: < UsualLockedBytes and var most } => new Finding(
                Severity.Warning, Subject, $"The process may lock {most} bytes, less than a small region takes.", Cure),
            { Soft: var most } => new Finding(
                Severity.Note, Subject, $"The process may lock {most} bytes, of which {limits.LockedBytes ?? 0} are locked: larger " +
                    "regions cannot be.", Cure),
        };
    }

    public static Finding OpenFiles(ExaminedMachine machine)
    {
        const string Subject = "open files (RLIMIT_NOFILE)";
        if (machine.Limits.OpenFiles is not { } limit) return Unknown(Subject);
        if (limit.Soft is not { } most) return new Finding(Severity.Ok, Subject, "The process may have any number of files open.");
        var open = machine.Limits.OpenFileCount ?? 0;
        var severity = most - open < TooFewFiles ? Severity.Problem : most - open < FewFiles ? Severity.Warning : Severity.Ok;
        return new Finding(
            severity, Subject, $"The process has {open} files open, of the {most} that it may have.",
            severity == Severity.Ok ? "" : "Raise it with `ulimit -n` or `LimitNOFILE=`, or close some.");
    }

    public static Finding AddressSpace(ExaminedMachine machine)
    {
        const string Subject = "address space (RLIMIT_AS, RLIMIT_DATA)";
        const string Cure = "Raise it with `ulimit -v` (`ulimit -d`); the runtime reserves far more address space than it uses.";
        var limits = machine.Limits;
        if (limits.AddressSpace is null && limits.PrivateMemory is null) return Unknown(Subject);
        (string Name, long Most, long Used)[] set =
        [
            .. Set("address space", limits.AddressSpace, limits.AddressSpaceBytes),
            .. Set("private memory", limits.PrivateMemory, limits.PrivateMemoryBytes),
        ];
        var what = string.Join(" and ", set.Select(one => $"{one.Most} bytes of {one.Name}, of which {one.Used} are taken"));
        return set.Length == 0
            ? new Finding(Severity.Ok, Subject, "The process may use any address space.")
            : new Finding(
                set.Any(one => one.Most - one.Used < LittleAddressSpaceBytes) ? Severity.Warning : Severity.Note,
                Subject, $"The process may use {what}.", Cure);

        static (string, long, long)[] Set(string name, ResourceLimit? limit, long? used) =>
            limit?.Soft is { } most ? [(name, most, used ?? 0)] : [];
    }

    public static Finding FileSize(ExaminedMachine machine)
    {
        const string Subject = "file size (RLIMIT_FSIZE)";
        return machine.Limits.FileSize switch
        {
            null => Unknown(Subject),
            { Soft: null } => new Finding(Severity.Ok, Subject, "The process may write files of any length."),
            { Soft: var most } => new Finding(
                Severity.Warning, Subject, $"The process may write files of {most} bytes, also in shared memory: a longer region cannot " +
                    "be made.",
                "Raise it with `ulimit -f` or `LimitFSIZE=`."),
        };
    }

    public static Finding Mappings(ExaminedMachine machine)
    {
        const string Subject = "mappings (vm.max_map_count)";
        if (machine.Limits is not { MappingCount: { } count, MostMappings: { } most }) return Unknown(Subject);
        var severity = count > most * 95 / 100 ? Severity.Problem
            : count > most * 3 / 4 ? Severity.Warning
            : most < UsualMappings ? Severity.Note
            : Severity.Ok;
        return new Finding(
            severity, Subject, $"The process has {count} mappings, of the {most} that it may have.",
            severity == Severity.Ok ? "" : $"Raise it with `sysctl vm.max_map_count={Math.Max(2 * most, UsualMappings)}`, or map fewer " +
                "and larger ranges.");
    }

    private static Finding Unknown(string subject) => new(Severity.Note, subject, "The kernel does not say.");
}
