using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A group of its own.</summary>
internal sealed class JoinAlone : GroupEntryOperation
{
    public override string Role => "consumer without a name";

    public override string What => "joins";

    public override string[] Outcomes => [NoGroup, HalfMade, OfTheDead];

    public override void Act() => Channel.CreateConsumer();

    protected override void SetStage() => Write(0, 1);

    protected override void Prepare()
    {
    }
}
