using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The member that gets what a dead one held, and dies over it; a third gets it then.</summary>
internal sealed class Inherit : SharedOperation
{
    public override string Role => "heir of a member of a shared group";

    public override string What => "takes 1 and 2, which the dead held, and acknowledges both";

    public override string[] Outcomes => [Gets(12, 22, 31), Gets(13, 22, 31), Gets(13, 23, 31), Gets(23, 31), Gets(31)];

    protected override AcknowledgeMode Acknowledgement => AcknowledgeMode.Manual;

    protected override string Survivor => "a third member";

    protected override void SetStage()
    {
        base.SetStage();
        using ChildProcess dead = ChildProcess.StartReady("victim");
        dead.Send($"prepare {nameof(HoldTwo)} {Options.Root}");
        dead.Expect("prepared");
        dead.Send("act 0");
        dead.Expect("survived");
        Assert.Equal(128 + Linux.SIGKILL, dead.WaitForExit());
    }

    public override void Act()
    {
        Take();
        Take();
        Acknowledge(1);
        Acknowledge(2);
    }
}
