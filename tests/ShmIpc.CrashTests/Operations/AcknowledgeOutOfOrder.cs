using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A shared group knows of each message by itself.</summary>
internal sealed class AcknowledgeOutOfOrder : SharedOperation
{
    public override string What => "holds 1 to 4, acknowledges 3, 1, 4, 2";

    public override string[] Outcomes =>
        [Gets(12, 22, 32, 42, 51), Gets(12, 22, 42, 51), Gets(22, 42, 51), Gets(22, 51), Gets(51)];

    protected override int Messages => MaxInFlight + 1;

    protected override AcknowledgeMode Acknowledgement => AcknowledgeMode.Manual;

    protected override void Prepare()
    {
        base.Prepare();
        for (int i = 0; i < MaxInFlight; i++)
        {
            Take();
        }
    }

    public override void Act() => Array.ForEach([3, 1, 4, 2], Acknowledge);
}
