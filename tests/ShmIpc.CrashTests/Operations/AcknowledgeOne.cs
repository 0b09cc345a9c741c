using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>By hand.</summary>
internal sealed class AcknowledgeOne : ExclusiveOperation
{
    public override string What => "reads 1, acknowledges it";

    public override string[] Outcomes => [Gets(11, 21, 31), Gets(12, 21, 31), Gets(21, 31)];

    protected override AcknowledgeMode Acknowledgement => AcknowledgeMode.Manual;

    public override void Act() => Acknowledge(Take());
}
