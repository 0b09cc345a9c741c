using System.Globalization;
using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class LinuxProcessTests
{
    [Fact]
    public void Ids_are_those_of_proc()
    {
        var status = File.ReadAllLines("/proc/thread-self/status");
        Assert.Equal(FieldOf(status, "Pid:", 0), LinuxProcess.ThreadId());
        Assert.Equal(FieldOf(status, "Tgid:", 0), LinuxProcess.ProcessId());
        Assert.Equal((uint)FieldOf(status, "Uid:", 1), LinuxProcess.EffectiveUserId);
        Assert.Equal((uint)FieldOf(status, "Gid:", 1), LinuxProcess.EffectiveGroupId);
    }

    [Fact]
    public void BootId_is_a_guid_and_stays() // it is the same for every process until the machine restarts
    {
        Assert.True(Guid.TryParse(LinuxProcess.BootId, out _));
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), LinuxProcess.BootId);
    }

    [Fact]
    public void PageSize_is_a_power_of_two_of_at_least_4096()
    {
        Assert.True(long.IsPow2(LinuxProcess.PageSizeBytes));
        Assert.True(LinuxProcess.PageSizeBytes >= 4096);
    }

    [Fact]
    public void The_platform_the_tests_run_on_is_supported() => LinuxPlatform.Require();

    private static int FieldOf(string[] status, string name, int index)
    {
        var fields = status.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..];
        return int.Parse(fields.Split('\t', StringSplitOptions.RemoveEmptyEntries)[index], CultureInfo.InvariantCulture);
    }
}
