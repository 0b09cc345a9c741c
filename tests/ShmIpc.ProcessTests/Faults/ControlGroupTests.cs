// A control group (a container, a service) that may have less memory than a channel wants: a refusal, and not the kernel's killer.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests.Faults;

public sealed class ControlGroupTests
{
    private const long Lane = 64 << 20;

    [Fact]
    public void A_lane_that_the_control_group_has_no_memory_for_is_refused()
    {
        long free = new DriveInfo(ScratchRoot.Memory).AvailableFreeSpace;
        Assert.SkipUnless(free > 2 * Lane, $"{ScratchRoot.Memory} has {free} bytes free, and a lane of {Lane} is to fit.");
        using ScratchRoot root = new();
        using Party party = new();
        using ControlGroup group = new();
        group.Add(party.Process.Id);
        group.Limit(Lane / 2);
        party.Do($"create-large {root.Path} x {Lane}");
        party.IsRefused<ShmNoSpaceException>("produce", "bytes of memory were asked for", "control group", "memory.max", "Ask for less");
        Assert.Equal("0 0", party.Do("counts"));
        Assert.False(party.Process.HasExited);

        group.Limit(4 * Lane);
        party.Do("produce");
        party.Do("consume");
        party.Do("write 1 0 20");
        party.Do("read 1 0 20");
        Assert.Equal("yes", party.Do($"delete {root.Path} x"));
        EnvironmentRows.Shown(
            80, "the control group (container) has less memory than asked for",
            "`ShmNoSpaceException` that names the limit, instead of the kernel's OOM killer");
    }

    // Each would be brought in by a call that the kernel does not refuse: without a check the child is killed.
    [Theory]
    [InlineData("lock-copy")]
    [InlineData("open-locked-copy")]
    [InlineData("window")]
    [InlineData("locked-future")]
    [InlineData("lock-all")]
    public void Memory_that_the_control_group_does_not_have_is_refused_and_nobody_killed(string what)
    {
        using ControlGroup group = new();
        using ChildProcess child = ChildProcess.StartReady("memory-room", ("what", what));
        group.Add(child.Id);
        group.Limit(MemoryRoomRole.LimitBytes);
        child.Send("go");
        Assert.Contains("control group", string.Join(' ', child.Expect("refused")), StringComparison.Ordinal);
        child.ExpectEnd();
    }
}
