using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Dead consumers have all places; a newcomer ends one's group and takes its place, and dies.</summary>
internal sealed class RetireForPlace : GroupEntryOperation
{
    private ulong _dead;

    public override string Role => "consumer without a name";

    public override string What => "joins where all places are those of dead consumers";

    public override string[] Outcomes =>
        [OfTheDead, HalfEnded, NoGroup, HalfMade, "the newcomer's group: whoever it is in the way of ends it"];

    public override string? Predecessor => "preceded";

    public override void Precede(string root)
    {
        ShmByteChannel channel = ShmByteChannel.Open(Name, OptionsIn(root));
        for (int i = 0; i < 4; i++)
        {
            channel.CreateConsumer();
        }
    }

    public override void Act() => Channel.CreateConsumer();

    public override void Ready() => _dead = State;

    protected override void SetStage() => Write(0, 1);

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        ulong state = State;
        WriteLaps();
        return GroupEntry.Phase(state) == GroupEntry.Active && state != _dead ? Outcomes[4] : Describe(GroupEntry.Phase(state));
    }
}
