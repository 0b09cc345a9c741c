// The /proc parsers, on texts captured from real machines and on damaged ones.
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Producer.Proc;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class ProcParserTests
{
    [Fact]
    public void Cores_are_read_without_the_sum_line()
    {
        CoreCounters[] cores = CoreParser.Parse("""
            cpu  6795 0 2686 204433 214 0 32 10 0 0
            cpu0 2740 1 1176 103086 30 2 4 4 7 0
            cpu12 4055 0 1509 101346 183 0 28 6 0 0
            intr 184007 0 0 0
            ctxt 434546
            btime 1795386530
            """u8);
        Assert.Equal([new(0, 2740 + 1 + 1176 + 2 + 4 + 4, 2740 + 1 + 1176 + 2 + 4 + 4 + 103086 + 30), new(12, 5598, 5598 + 101529)], cores);
    }

    [Fact]
    public void Old_kernels_write_fewer_columns() =>
        Assert.Equal([new CoreCounters(0, 6, 10)], CoreParser.Parse("cpu0 1 2 3 4\n"u8));

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("cpu 1 2 3\ncpufreq 1 2\ncpu1x 3 4")]
    public void A_stat_file_without_cores_has_none(string text) =>
        Assert.Empty(CoreParser.Parse(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Memory_is_read_by_name_in_any_order()
    {
        MemoryUse memory = MemoryParser.Parse("""
            MemTotal:       24684092 kB
            MemFree:        24163488 kB
            MemAvailable:   24195476 kB
            Cached:           294848 kB
            SwapCached:            7 kB
            HugePages_Total:       0
            Shmem:              8460 kB
            SwapTotal:       1048576 kB
            SwapFree:        1048575 kB
            """u8);
        Assert.Equal(new MemoryUse(24684092L << 10, 24195476L << 10, 294848L << 10, 8460L << 10, 1048576L << 10, 1048575L << 10), memory);
        Assert.Equal(default, MemoryParser.Parse(default));
    }

    [Fact]
    public void Disks_are_counted_in_bytes_and_only_those_asked_for()
    {
        DiskCounters[] disks = DiskParser.Parse("""
               7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
             254       0 vda 10965 4623 2210498 6513 2209 9985 1482320 2792 0 4684 9521 3243 36 48040 215 4 0
             254       1 vda1 10965 4623 2210498 6513 2209 9985 1482320 2792 0 4684 9521
            """u8, name => name == "vda");
        Assert.Equal([new DiskCounters("vda", 2210498L * 512, 1482320L * 512, 4684)], disks);
    }

    [Fact]
    public void Networks_are_read_with_or_without_a_space_behind_the_colon()
    {
        NetworkCounters[] networks = NetworkParser.Parse("""
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
              eth0:117433954    4107    1    2    0     0          0         0   325095    3264    3    4    0     0       0          0
            """u8);
        Assert.Equal([new("lo", 3193, 3193, 0), new("eth0", 117433954, 325095, 10)], networks);
    }

    [Fact]
    public void A_process_is_read_from_its_stat_line()
    {
        Assert.True(ProcessParser.TryParse("""
            5563 (cat) R 5550 5550 3592 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 7 0 107402 3133440 383 18446744073709551615 94807862878208
            """u8, 4096, out ProcessCounters process));
        Assert.Equal(new ProcessCounters(5563, 107402, "cat", 'R', 42, 383 * 4096, 7), process);
    }

    [Theory]
    [InlineData("x) R 1 (y")]
    [InlineData("a b\nc")]
    [InlineData("")]
    [InlineData("(((")]
    [InlineData(")))")]
    public void A_process_may_have_any_name(string name)
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes($"1 ({name}) S 0 1 1 0 -1 4194560 0 0 0 0 3 4 0 0 20 0 1 0 9 0 5\n");
        Assert.True(ProcessParser.TryParse(text, 4096, out ProcessCounters process));
        Assert.Equal(new ProcessCounters(1, 9, name, 'S', 7, 5 * 4096, 1), process);
    }

    [Theory]
    [InlineData("")]
    [InlineData("17")]
    [InlineData("17 (cat")]
    [InlineData("17 (cat)")]
    [InlineData("(cat) R 1")]
    public void A_process_that_ended_meanwhile_is_none(string text) =>
        Assert.False(ProcessParser.TryParse(System.Text.Encoding.UTF8.GetBytes(text), 4096, out _));
}
