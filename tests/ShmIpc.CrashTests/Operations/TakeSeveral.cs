using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>As many as it may hold.</summary>
internal sealed class TakeSeveral : SharedOperation
{
    public override string What => "takes 1 to 4, and holds them";

    public override string[] Outcomes =>
    [
        Gets(11, 21, 31, 41, 51), Gets(12, 21, 31, 41, 51), Gets(12, 22, 31, 41, 51), Gets(12, 22, 32, 41, 51), Gets(12, 22, 32, 42, 51),
    ];

    protected override int Messages => MaxInFlight + 1;

    protected override AcknowledgeMode Acknowledgement => AcknowledgeMode.Manual;

    public override void Act()
    {
        for (int i = 0; i < MaxInFlight; i++)
        {
            Take();
        }
    }
}
