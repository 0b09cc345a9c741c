// MemoryLimits against what the kernel says by other ways, and against made-up machines.

using System.Globalization;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MemoryLimitsTests
{
    [Fact]
    public void This_process_and_machine_are_read_as_the_kernel_has_them()
    {
        var limits = MemoryLimits.Read();
        var ulimits = File.ReadAllLines("/proc/self/limits");
        Assert.Equal(Of("Max locked memory"), limits.LockedMemory);
        Assert.Equal(Of("Max address space"), limits.AddressSpace);
        Assert.Equal(Of("Max data size"), limits.PrivateMemory);
        Assert.Equal(Of("Max stack size"), limits.Stack);
        Assert.Equal(Of("Max file size"), limits.FileSize);
        Assert.Equal(Of("Max open files"), limits.OpenFiles);
        Assert.Equal(Environment.SystemPageSize, limits.PageSizeBytes);
        Assert.Equal(NumberIn("/proc/sys/vm/max_map_count"), limits.MostMappings);
        Assert.Equal(NumberIn("/proc/sys/vm/overcommit_memory"), (long?)limits.Overcommit);
        Assert.Equal(1024 * NumberOf("/proc/meminfo", "MemTotal:"), limits.TotalBytes);
        Assert.Equal(1024 * NumberOf("/proc/meminfo", "SwapTotal:"), limits.TotalSwapBytes);
        Assert.InRange(limits.AvailableBytes!.Value, 1 << 20, limits.TotalBytes!.Value);
        // Other tests map and open hundreds of files at once, now and then.
        Assert.True(SpinWait.SpinUntil(CountsAreTheKernels, 60_000), $"{limits.MappingCount} mappings, {limits.OpenFileCount} files");
        Assert.InRange(limits.AddressSpaceBytes!.Value, 1 << 20, long.MaxValue);
        Assert.NotNull(limits.LockedBytes);
        Assert.NotNull(limits.CommitLimitBytes);
        Assert.NotNull(limits.CommittedBytes);
        ulong capabilities = Convert.ToUInt64(
            File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal))["CapEff:".Length..].Trim(), 16);
        Assert.Equal((capabilities & 1UL << 14) != 0, limits.MayLockBeyondLimit);
        if (Directory.Exists("/dev/shm")) Assert.Equal(new DriveInfo("/dev/shm").TotalSize, limits.SharedMemory!.Value.TotalBytes ?? 0);
        if (Directory.Exists("/sys/kernel/mm/hugepages"))
        {
            Assert.Equal(
                Directory.GetDirectories("/sys/kernel/mm/hugepages").Select(path => Path.GetFileName(path)).Order(),
                limits.HugePagePools.Select(pool => $"hugepages-{pool.PageSizeBytes / 1024}kB").Order());
        }

        static bool CountsAreTheKernels()
        {
            var now = MemoryLimits.Read();
            return now.MappingCount!.Value >= File.ReadLines("/proc/self/maps").Count() / 2 && now.MappingCount < 1_000_000
                && now.OpenFileCount!.Value >= 3 && now.OpenFileCount <= Directory.GetFileSystemEntries("/proc/self/fd").Length + 100;
        }

        ResourceLimit Of(string name)
        {
            string[] words = ulimits.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..]
                .Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new ResourceLimit(Limit(words[0]), Limit(words[1]));
        }

        static long? Limit(string word) => word == "unlimited" ? null : long.Parse(word, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void A_made_up_machine_is_read_to_the_last_file()
    {
        using ScratchRoot root = new();
        root.Lay("proc/meminfo", """
            MemTotal:       1000 kB
            MemAvailable:    600 kB
            SwapTotal:       200 kB
            SwapFree:        100 kB
            CommitLimit:     700 kB
            Committed_AS:    300 kB
            """);
        root.Lay("proc/self/status", "Name:\tx\nVmSize:\t   40 kB\nVmLck:\t    8 kB\nVmData:\t   12 kB\nCapEff:\t0000000000004000\n");
        root.Lay("proc/self/maps", "a\nb\nc\n");
        root.Lay("proc/self/fd/0", "");
        root.Lay("proc/self/fd/1", "");
        root.Lay("proc/self/fd/2", "");
        root.Lay("proc/self/cgroup", "0::/");
        root.Lay("sys/fs/cgroup/memory.max", "500000");
        root.Lay("sys/fs/cgroup/memory.current", "400000");
        root.Lay("sys/fs/cgroup/memory.swap.max", "0");
        root.Lay("sys/fs/cgroup/memory.swap.current", "0");
        root.Lay("proc/sys/vm/max_map_count", "99\n");
        root.Lay("proc/sys/vm/overcommit_memory", "2\n");
        root.Lay("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
        root.Lay("sys/kernel/mm/transparent_hugepage/shmem_enabled", "always within_size advise [never] deny force\n");
        string[] names = ["nr_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages", "nr_overcommit_hugepages"];
        foreach (var (name, index) in names.Select((name, index) => (name, index)))
        {
            root.Lay($"sys/kernel/mm/hugepages/hugepages-1048576kB/{name}", "0");
            root.Lay($"sys/kernel/mm/hugepages/hugepages-2048kB/{name}", $"{10 - index}");
        }

        var limits = MemoryLimits.Read(root.Path);

        Assert.Equal((1024000, 614400), (limits.TotalBytes, limits.AvailableBytes));
        Assert.Equal((204800, 102400), (limits.TotalSwapBytes, limits.FreeSwapBytes));
        Assert.Equal((716800, 307200), (limits.CommitLimitBytes, limits.CommittedBytes));
        Assert.Equal((40960, 12288, 8192), (limits.AddressSpaceBytes, limits.PrivateMemoryBytes, limits.LockedBytes));
        Assert.True(limits.MayLockBeyondLimit);
        Assert.Equal((3, 99), (limits.MappingCount, limits.MostMappings));
        Assert.Equal(2, limits.OpenFileCount);
        Assert.Equal((500000, 100000), (limits.ControlGroupLimitBytes, limits.ControlGroupAvailableBytes));
        Assert.Equal(OvercommitMode.Never, limits.Overcommit);
        Assert.Equal(("madvise", "never"), (limits.TransparentHugePages, limits.SharedTransparentHugePages));
        Assert.Equal([new HugePagePool(2 << 20, 10, 9, 8, 7, 6), new HugePagePool(1 << 30, 0, 0, 0, 0, 0)], limits.HugePagePools);
        Assert.Equal(1, limits.HugePagePools[0].Available);
        Assert.Null(limits.SharedMemory);
    }

    [Fact]
    public void What_cannot_be_read_is_null()
    {
        using ScratchRoot root = new();
        root.Lay("proc/self/status", "CapEff:\tnonsense\nVmLck:\t 8 MB\n");
        root.Lay("sys/kernel/mm/transparent_hugepage/enabled", "always\n");
        root.Lay("proc/sys/vm/overcommit_memory", "\n");
        var limits = MemoryLimits.Read(root.Path);
        Assert.Equal((null, null, null), (limits.TotalBytes, limits.AvailableBytes, limits.FreeSwapBytes));
        Assert.Equal((null, null, null), (limits.LockedBytes, limits.MayLockBeyondLimit, limits.AddressSpaceBytes));
        Assert.Equal((null, null, null), (limits.MappingCount, limits.MostMappings, limits.OpenFileCount));
        Assert.Equal((null, null), (limits.ControlGroupLimitBytes, limits.ControlGroupAvailableBytes));
        Assert.Equal((null, null, null), (limits.Overcommit, limits.TransparentHugePages, limits.SharedTransparentHugePages));
        Assert.Empty(limits.HugePagePools);
        Assert.Null(limits.SharedMemory);
    }

    private static long NumberIn(string path) => long.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture);

    private static long NumberOf(string path, string name) => long.Parse(
        File.ReadLines(path).First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal),
        CultureInfo.InvariantCulture);
}
