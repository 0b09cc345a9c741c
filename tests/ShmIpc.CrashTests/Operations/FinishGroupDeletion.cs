using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A group of the same name is made where somebody died while deleting one.</summary>
internal sealed class FinishGroupDeletion : GroupEntryOperation
{
    private static readonly ConsumerOptions _options = new() { Group = "line", Durable = true };

    public override string Role => "first member of a durable exclusive group";

    public override string What => "makes a group where a deleter died halfway";

    public override string[] Outcomes { get; } =
        [HalfEnded, NoGroup, HalfMade, "the new group, which keeps its messages"];

    public override string? Predecessor => "died";

    public override void Precede(string root)
    {
        ShmByteChannel channel = ShmByteChannel.Open(Name, OptionsIn(root));
        CrashPoint.ArmBefore("ChannelRegion.RaiseVersion: Increment"); // the group gates nobody any more
        channel.DeleteGroup("line");
    }

    public override void Act() => Channel.CreateConsumer(_options);

    protected override void SetStage()
    {
        using ByteConsumer maker = Channel.CreateConsumer(_options);
        Write(0, 1);
    }

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        string outcome = Phase switch
        {
            GroupEntry.Active => Outcomes[3],
            ulong phase => Describe(phase),
        };
        using ByteConsumer next = Channel.CreateConsumer(_options);
        Assert.Equal([0, 1], ReadTo(next, 1)); // nobody has overwritten them
        return outcome;
    }
}
