// Each check of the doctor on made-up machines, one in order and those that are not, and the doctor on this one.

using ShmIpc.Diagnostics;
using ShmIpc.Interop;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Diagnostics;

public sealed class DoctorTests
{
    private const long MiB = 1 << 20;
    private const long GiB = 1 << 30;

    private static readonly ResourceLimit _unlimited = new(null, null);

    [Fact]
    public void This_machine_is_examined_whole()
    {
        var findings = Doctor.Run();
        Assert.Equal(Examine(Healthy).Select(finding => finding.Subject), findings.Select(finding => finding.Subject));
        Assert.Distinct(findings.Select(finding => finding.Subject));
        Assert.All(findings, finding => Assert.True(finding.What.Length > 10, finding.Subject));
        Assert.All(
            findings.Where(finding => finding.Severity >= Severity.Warning),
            finding => Assert.True(finding.Cure.Length > 10, finding.Subject));
        Assert.Contains(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), Of(findings, "kernel").What, StringComparison.Ordinal);
        string processors = Environment.ProcessorCount == 1 ? "one processor only" : $"{Environment.ProcessorCount} processors";
        Assert.Contains(processors, Of(findings, "processors").What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_in_order_is_told_so() =>
        Assert.All(Examine(Healthy), finding => Assert.Equal((Severity.Ok, "", finding.Subject), (finding.Severity, finding.Cure, finding.Subject)));

    [Theory]
    [InlineData("4.17.0", Severity.Problem)]
    [InlineData("3.10.0-1160.el7", Severity.Problem)]
    [InlineData("4.18", Severity.Ok)]
    [InlineData("6.18.44-fc-v657", Severity.Ok)]
    [InlineData("unknown", Severity.Note)]
    public void The_kernel_has_an_age(string release, Severity severity) =>
        Found(Healthy with { KernelRelease = release }, "kernel", severity, release);

    [Theory]
    [InlineData("futex_waitv", Severity.Note, "5.16")]
    [InlineData("membarrier", Severity.Note, "4.16")]
    [InlineData("memfd sealing", Severity.Warning, "3.17")]
    [InlineData("MADV_POPULATE_WRITE", Severity.Note, "5.14")]
    public void What_the_kernel_lacks_is_named(string subject, Severity severity, string cure)
    {
        KernelFeatures features = new(subject != "futex_waitv", subject != "membarrier", subject != "memfd sealing", subject != "MADV_POPULATE_WRITE");
        var findings = Examine(Healthy with { Features = features });
        Assert.Equal(severity, Of(findings, subject).Severity);
        Assert.Contains(cure, Of(findings, subject).Cure, StringComparison.Ordinal);
        Assert.Single(findings, finding => finding.Severity != Severity.Ok);
    }

    [Fact]
    public void One_processor_makes_spinning_useless() =>
        Found(Healthy with { ProcessorCount = 1 }, "processors", Severity.Warning, "WaitStrategy.Park");

    [Theory]
    [InlineData(null, null, Severity.Note, "has no size")]
    [InlineData(64 * MiB, 64 * MiB, Severity.Warning, "--shm-size")]
    [InlineData(4 * GiB, 63 * MiB, Severity.Warning, "remount")]
    [InlineData(4 * GiB, 3 * MiB, Severity.Problem, "Remove what is no longer used")]
    [InlineData(900 * GiB, 800 * GiB, Severity.Note, "kill processes")]
    [InlineData(256 * MiB, 64 * MiB, Severity.Ok, "free of 268435456")]
    public void Shared_memory_has_room(long? total, long? available, Severity severity, string part) =>
        Found(With(limits => limits.SharedMemory = new FileSystemRoom(total, available)), "/dev/shm", severity, part);

    [Fact]
    public void Shared_memory_is_there() => Found(With(limits => limits.SharedMemory = null), "/dev/shm", Severity.Problem, "SHMIPC_ROOT");

    [Fact]
    public void The_region_root_is_judged_as_it_will_be_when_it_is_used()
    {
        using ScratchRoot root = new();
        var path = root.FileOf("regions");
        Found(Healthy with { RegionRoot = path }, "region root", Severity.Ok, "not there yet");
        Assert.False(Directory.Exists(path));
        Found(Healthy with { RegionRoot = root.FileOf("a/b") }, "region root", Severity.Problem, "does not exist");
        Directory.CreateDirectory(path, (UnixFileMode)0x1C0);
        Found(Healthy with { RegionRoot = path }, "region root", Severity.Ok, $"kept in {path}");
        File.SetUnixFileMode(path, (UnixFileMode)0x1FF);
        Found(Healthy with { RegionRoot = path }, "region root", Severity.Problem, "mode 0777");
        File.SetUnixFileMode(path, (UnixFileMode)0x140);
        if (!Environment.IsPrivilegedProcess) Found(Healthy with { RegionRoot = path }, "region root", Severity.Warning, "may not write");
        File.SetUnixFileMode(path, (UnixFileMode)0x1C0);
    }

    [Theory]
    [InlineData(null, 8 * GiB, Severity.Note, "does not say")]
    [InlineData(255 * MiB, 8 * GiB, Severity.Warning, "Free memory")]
    [InlineData(256 * MiB, 8 * GiB, Severity.Ok, "268435456 bytes of memory left")]
    public void Memory_is_left(long? available, long? total, Severity severity, string part) =>
        Found(With(limits => (limits.AvailableBytes, limits.TotalBytes) = (available, total)), "memory", severity, part);

    [Theory]
    [InlineData(null, null, Severity.Ok, "No control group")]
    [InlineData(4 * GiB, GiB, Severity.Note, "1073741824 bytes left of 4294967296")]
    [InlineData(4 * GiB, 255 * MiB, Severity.Warning, "memory.max")]
    public void The_control_group_leaves_memory(long? limit, long? left, Severity severity, string part) =>
        Found(With(limits => (limits.Group, limits.GroupLeft) = (limit, left)), "control group", severity, part);

    [Theory]
    [InlineData(null, 0, Severity.Note, "cannot be read")]
    [InlineData(OvercommitMode.Always, 0, Severity.Ok, "overcommit_memory=1")]
    [InlineData(OvercommitMode.Never, GiB, Severity.Note, "overcommit_memory=2")]
    [InlineData(OvercommitMode.Never, 8 * GiB - 255 * MiB, Severity.Warning, "overcommit_ratio")]
    public void The_machine_promises_memory(OvercommitMode? mode, long promised, Severity severity, string part) =>
        Found(With(limits => (limits.Overcommit, limits.Committed) = (mode, promised)), "overcommit", severity, part);

    [Theory]
    [InlineData(null, Severity.Note, "does not say")]
    [InlineData(0L, Severity.Ok, "no swap")]
    [InlineData(GiB, Severity.Note, "Lock the memory")]
    public void Swap_is_told(long? swap, Severity severity, string part) => Found(With(limits => limits.Swap = swap), "swap", severity, part);

    [Theory]
    [InlineData(null, false, Severity.Ok, "any memory")]
    [InlineData(0L, true, Severity.Ok, "CAP_IPC_LOCK")]
    [InlineData(0L, false, Severity.Warning, "no memory")]
    [InlineData(64L << 10, null, Severity.Warning, "ulimit -l")]
    [InlineData(8 * MiB, false, Severity.Note, "of which 4096 are locked")]
    public void Memory_may_be_locked(long? soft, bool? mayExceed, Severity severity, string part) => Found(
        With(limits => (limits.Locked, limits.MayLockBeyond) = (new ResourceLimit(soft, soft), mayExceed)),
        "locked memory (RLIMIT_MEMLOCK)", severity, part);

    [Theory]
    [InlineData(null, 5000, Severity.Ok, "any number")]
    [InlineData(1024L, 700, Severity.Ok, "of the 1024")]
    [InlineData(1024L, 800, Severity.Warning, "ulimit -n")]
    [InlineData(1024L, 1000, Severity.Problem, "ulimit -n")]
    public void Files_may_be_opened(long? soft, long open, Severity severity, string part) => Found(
        With(limits => (limits.Files, limits.OpenFiles) = (new ResourceLimit(soft, soft), open)), "open files (RLIMIT_NOFILE)", severity, part);

    [Theory]
    [InlineData(null, null, Severity.Ok, "any address space")]
    [InlineData(500 * GiB, null, Severity.Note, "of address space, of which 274877906944 are taken")]
    [InlineData(256 * GiB + 10, null, Severity.Warning, "ulimit -v")]
    [InlineData(null, 2 * GiB, Severity.Warning, "of private memory")]
    public void Address_space_may_be_taken(long? addresses, long? data, Severity severity, string part) => Found(
        With(limits => (limits.Addresses, limits.Private) = (new ResourceLimit(addresses, null), new ResourceLimit(data, null))),
        "address space (RLIMIT_AS, RLIMIT_DATA)", severity, part);

    [Fact]
    public void Short_files_are_told() =>
        Found(With(limits => limits.FileSize = new ResourceLimit(GiB, GiB)), "file size (RLIMIT_FSIZE)", Severity.Warning, "ulimit -f");

    [Theory]
    [InlineData(1000, 65530, Severity.Ok, "1000 mappings")]
    [InlineData(1000, 30000, Severity.Note, "vm.max_map_count=65530")]
    [InlineData(50000, 65530, Severity.Warning, "vm.max_map_count=131060")]
    [InlineData(65000, 65530, Severity.Problem, "fewer and larger")]
    public void Mappings_may_be_made(long count, long most, Severity severity, string part) => Found(
        With(limits => (limits.Mappings, limits.MostMappings) = (count, most)), "mappings (vm.max_map_count)", severity, part);

    [Theory]
    [InlineData(0, 0, 0, 0, Severity.Note, "vm.nr_hugepages=512")]
    [InlineData(10, 5, 4, 0, Severity.Ok, "1 of 10 pages of 2097152 bytes")]
    [InlineData(10, 5, 5, 0, Severity.Warning, "All huge pages are taken")]
    [InlineData(0, 0, 0, 7, Severity.Ok, "0 of 0 pages")]
    public void Huge_pages_are_set_aside(long total, long free, long reserved, long mostSurplus, Severity severity, string part) => Found(
        With(limits => limits.Pools = [new HugePagePool(2 * MiB, total, free, reserved, 0, mostSurplus), new HugePagePool(GiB, 0, 0, 0, 0, 0)]),
        "huge page pools", severity, part);

    [Theory]
    [InlineData("always", Severity.Ok)]
    [InlineData("madvise", Severity.Ok)]
    [InlineData("never", Severity.Note)]
    [InlineData(null, Severity.Note)]
    public void Transparent_huge_pages_are_told(string? mode, Severity severity) =>
        Found(With(limits => limits.Huge = mode), "transparent huge pages", severity, mode ?? "does not say");

    [Theory]
    [InlineData("always", Severity.Ok)]
    [InlineData("within_size", Severity.Ok)]
    [InlineData("advise", Severity.Ok)]
    [InlineData("force", Severity.Ok)]
    [InlineData("never", Severity.Note)]
    [InlineData("deny", Severity.Note)]
    public void Transparent_huge_pages_of_shared_memory_are_told(string mode, Severity severity) =>
        Found(With(limits => limits.SharedHuge = mode), "transparent huge pages, shared", severity, mode);

    [Fact]
    public void A_machine_that_says_nothing_is_no_reason_to_fail()
    {
        using ScratchRoot root = new();
        var findings = Doctor.Examine(ExaminedMachine.Read(root.Path));
        Assert.Equal(Examine(Healthy).Count, findings.Count);
        Assert.Equal(Severity.Note, Of(findings, "kernel").Severity);
        Assert.Equal(Severity.Problem, Of(findings, "/dev/shm").Severity);
        Assert.Equal(Severity.Note, Of(findings, "mappings (vm.max_map_count)").Severity);
    }

    private static void Found(ExaminedMachine machine, string subject, Severity severity, string part)
    {
        var finding = Of(Examine(machine), subject);
        Assert.Equal(severity, finding.Severity);
        Assert.Contains(part, $"{finding.What} {finding.Cure}", StringComparison.Ordinal);
        if (severity >= Severity.Warning) Assert.NotEqual("", finding.Cure);
    }

    private static IReadOnlyList<Finding> Examine(ExaminedMachine machine) => Doctor.Examine(machine);

    private static Finding Of(IReadOnlyList<Finding> findings, string subject) => findings.Single(finding => finding.Subject == subject);

    private static ExaminedMachine Healthy { get; } = With(_ => { });

    private static ExaminedMachine With(Action<Sketch> change)
    {
        Sketch sketch = new();
        change(sketch);
        return new ExaminedMachine
        {
            KernelRelease = "6.1.0",
            ProcessorCount = 8,
            Features = new KernelFeatures(true, true, true, true),
            Limits = sketch.ToLimits(),
            RegionRoot = "/dev/shm/shmipc-nobody-has-this",
        };
    }

    /// <summary>The limits of a machine in order, of which a test changes some.</summary>
    private sealed class Sketch
    {
        public FileSystemRoom? SharedMemory { get; set; } = new FileSystemRoom(4 * GiB, 3 * GiB);

        public long? AvailableBytes { get; set; } = 6 * GiB;

        public long? TotalBytes { get; set; } = 8 * GiB;

        public long? Group { get; set; }

        public long? GroupLeft { get; set; }

        public OvercommitMode? Overcommit { get; set; } = OvercommitMode.Heuristic;

        public long? Committed { get; set; } = GiB;

        public long? Swap { get; set; } = 0;

        public ResourceLimit? Locked { get; set; } = _unlimited;

        public bool? MayLockBeyond { get; set; } = false;

        public ResourceLimit? Files { get; set; } = new ResourceLimit(4096, 4096);

        public long? OpenFiles { get; set; } = 100;

        public ResourceLimit? Addresses { get; set; } = _unlimited;

        public ResourceLimit? Private { get; set; } = _unlimited;

        public ResourceLimit? FileSize { get; set; } = _unlimited;

        public long? Mappings { get; set; } = 500;

        public long? MostMappings { get; set; } = 65530;

        public IReadOnlyList<HugePagePool> Pools { get; set; } = [new HugePagePool(2 * MiB, 10, 10, 0, 0, 0)];

        public string? Huge { get; set; } = "madvise";

        public string? SharedHuge { get; set; } = "advise";

        public MemoryLimits ToLimits() => new()
        {
            SharedMemory = SharedMemory,
            AvailableBytes = AvailableBytes,
            TotalBytes = TotalBytes,
            ControlGroupLimitBytes = Group,
            ControlGroupAvailableBytes = GroupLeft,
            Overcommit = Overcommit,
            CommitLimitBytes = 8 * GiB,
            CommittedBytes = Committed,
            TotalSwapBytes = Swap,
            FreeSwapBytes = Swap,
            LockedMemory = Locked,
            MayLockBeyondLimit = MayLockBeyond,
            LockedBytes = 4096,
            OpenFiles = Files,
            OpenFileCount = OpenFiles,
            AddressSpace = Addresses,
            AddressSpaceBytes = 256 * GiB,
            PrivateMemory = Private,
            PrivateMemoryBytes = 1500 * MiB,
            FileSize = FileSize,
            MappingCount = Mappings,
            MostMappings = MostMappings,
            HugePagePools = Pools,
            TransparentHugePages = Huge,
            SharedTransparentHugePages = SharedHuge,
        };
    }
}
