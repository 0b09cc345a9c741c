using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Who dies before the heir does.</summary>
internal sealed class HoldTwo : SharedOperation
{
    public override string What => "takes 1 and 2, and holds them";

    public override string[] Outcomes => [Gets(11, 21, 31), Gets(12, 21, 31), Gets(12, 22, 31)];

    protected override AcknowledgeMode Acknowledgement => AcknowledgeMode.Manual;

    public override void Act()
    {
        Take();
        Take();
    }
}
