using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class LinuxMemoryTests
{
    [Fact]
    public void What_is_available_is_read_from_the_kernel() // and is not the "unknown" of an unreadable file
        => Assert.InRange(LinuxMemory.AvailableBytes(), 1 << 20, 1L << 46);

    [Fact]
    public void Little_is_granted_and_too_much_refused_with_both_numbers()
    {
        LinuxMemory.RequireAvailable(4096);
        var error = Assert.Throws<ShmNoSpaceException>(() => LinuxMemory.RequireAvailable(1L << 50));
        Assert.Equal(1L << 50, error.RequestedBytes);
        Assert.Contains($"{1L << 50} bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{error.AvailableBytes} bytes left", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0::/a/b", "sys/fs/cgroup/a/b/memory.max=max sys/fs/cgroup/a/b/memory.current=1", long.MaxValue)]
    [InlineData("0::/a/b", "sys/fs/cgroup/a/b/memory.max=5000 sys/fs/cgroup/a/b/memory.current=4000", 1000)]
    [InlineData("0::/a/b", "sys/fs/cgroup/a/memory.max=5000 sys/fs/cgroup/a/memory.current=4000", 1000)] // the group that it is in
    [InlineData("0::/a/b", "sys/fs/cgroup/memory.max=5000 sys/fs/cgroup/memory.current=5000", 0)] // a container, which sees only itself
    [InlineData("0::/", "sys/fs/cgroup/memory.max=5000 sys/fs/cgroup/memory.current=4000", 1000)]
    [InlineData("0::/a", "sys/fs/cgroup/a/memory.max=5000", long.MaxValue)]
    [InlineData("1:cpu:/a", "sys/fs/cgroup/a/memory.max=5000 sys/fs/cgroup/a/memory.current=4000", long.MaxValue)]
    [InlineData(
        "3:cpu,memory:/a", "sys/fs/cgroup/memory/a/memory.limit_in_bytes=5000 sys/fs/cgroup/memory/a/memory.usage_in_bytes=4000", 1000)]
    [InlineData(
        "3:memory:/a", "sys/fs/cgroup/memory/a/memory.limit_in_bytes=9223372036854771712 sys/fs/cgroup/memory/a/memory.usage_in_bytes=1",
        long.MaxValue)]
    [InlineData(
        "0::/a", "sys/fs/cgroup/a/memory.max=5000 sys/fs/cgroup/a/memory.current=4000 sys/fs/cgroup/a/memory.stat=shmem_7;active_file_30;"
            + "inactive_file_200;file_9000", 1230)]
    [InlineData(
        "0::/a", "sys/fs/cgroup/a/memory.max=5000 sys/fs/cgroup/a/memory.current=4000 sys/fs/cgroup/a/memory.stat=slab_9000;"
            + "slab_reclaimable_500;slab_unreclaimable_8500", 1500)] // names of files that were looked at once
    [InlineData("nonsense", "sys/fs/cgroup/memory.max=0 sys/fs/cgroup/memory.current=0", long.MaxValue)]
    public void A_control_group_leaves_what_its_limit_says(string groups, string files, long expected)
    {
        using ScratchRoot root = new();
        root.Lay("proc/self/cgroup", groups);
        foreach (string file in files.Split(' '))
        {
            string[] parts = file.Split('=');
            root.Lay(parts[0], parts[1].Replace(';', '\n')
                    .Replace("_file_", "_file ", StringComparison.Ordinal).Replace("claimable_", "claimable ", StringComparison.Ordinal));
        }

        Assert.Equal(expected, ControlGroupMemory.AvailableBytes(0, root.Path));
        Assert.Equal(expected == long.MaxValue ? expected : expected + 50, ControlGroupMemory.AvailableBytes(50, root.Path));
        root.Lay("sys/fs/cgroup/a/memory.swap.max", "20");
        root.Lay("sys/fs/cgroup/a/memory.swap.current", "15");
        if (files.Contains("cgroup/a/memory.max=5000 sys", StringComparison.Ordinal) && expected != long.MaxValue)
        {
            Assert.Equal(expected + 5, ControlGroupMemory.AvailableBytes(50, root.Path));
        }
    }

    // A sandbox may hide /sys: nobody knows then what the pool has, and it may be enough.
    [Fact]
    public void A_pool_of_huge_pages_that_cannot_be_read_is_not_an_empty_one()
    {
        using ScratchRoot root = new();
        Assert.Null(HugePageShortage.Find(2 << 20, 1, root.Path)!.AvailableBytes);
        root.Lay("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "3\n");
        root.Lay("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "2\n");
        root.Lay("sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages", "1\n");
        Assert.Null(HugePageShortage.Find(2 << 20, 2 << 20, root.Path));
        var shortage = HugePageShortage.Find(2 << 20, 4 << 20, root.Path)!;
        Assert.Equal((2 << 20, false), (shortage.AvailableBytes, shortage.IsCertain)); // what is promised may be promised to this very file
        Assert.True(HugePageShortage.Find(2 << 20, 6 << 20, root.Path)!.IsCertain);
        Assert.NotNull(HugePageShortage.Find(1 << 30, 1, root.Path));
    }

    [Fact]
    public void A_control_group_with_too_little_left_refuses_with_the_cure()
    {
        using ScratchRoot root = new();
        root.Lay("proc/meminfo", "MemAvailable:   1000000 kB\nSwapFree:   0 kB\n");
        root.Lay("proc/self/cgroup", "0::/");
        root.Lay("sys/fs/cgroup/memory.max", "100000\n");
        root.Lay("sys/fs/cgroup/memory.current", "40000\n");
        LinuxMemory.RequireAvailable(60000, root.Path);
        var error = Assert.Throws<ShmNoSpaceException>(() => LinuxMemory.RequireAvailable(60001, root.Path));
        Assert.Equal((60001, 60000), (error.RequestedBytes, error.AvailableBytes));
        Assert.Contains("control group of this process has 60000 bytes left", error.Message, StringComparison.Ordinal);
        Assert.Contains("memory.max", error.Message, StringComparison.Ordinal);
        root.Lay("sys/fs/cgroup/memory.max", "max\n");
        error = Assert.Throws<ShmNoSpaceException>(() => LinuxMemory.RequireAvailable(1 << 30, root.Path));
        Assert.Contains("the machine (MemAvailable) has 1024000000 bytes left", error.Message, StringComparison.Ordinal);
    }
}
