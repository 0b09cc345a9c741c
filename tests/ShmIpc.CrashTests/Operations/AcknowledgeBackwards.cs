using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>An exclusive group goes on at the oldest message that was not acknowledged: a later one that was comes again.</summary>
internal sealed class AcknowledgeBackwards : ExclusiveOperation
{
    public override string What => "holds 1 and 2, acknowledges 2, then 1";

    public override string[] Outcomes => [Gets(12, 22, 31), Gets(31)];

    protected override AcknowledgeMode Acknowledgement => AcknowledgeMode.Manual;

    protected override void Prepare()
    {
        base.Prepare();
        Take();
        Take();
    }

    public override void Act()
    {
        Acknowledge(2);
        Acknowledge(1);
    }
}
