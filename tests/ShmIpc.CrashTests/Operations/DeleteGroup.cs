using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A durable group without members, which holds the producers back.</summary>
internal class DeleteGroup : GroupEntryOperation
{
    public override string Role => "deleter of a group";

    public override string What => "deletes a durable exclusive group";

    public override string[] Outcomes { get; } = ["the group, whole", "no group: what is left of it is in nobody's way"];

    protected virtual ConsumerOptions Membership => new() { Group = "line", Durable = true, Acknowledge = AcknowledgeMode.Manual };

    public override void Act() => Channel.DeleteGroup("line");

    protected override void SetStage()
    {
        using ByteConsumer maker = Channel.CreateConsumer(Membership);
        Write(0, 1);
    }

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        bool isThere = Channel.DeleteGroup("line");
        WriteLaps();
        Assert.DoesNotContain(Channel.Groups, group => group.Name == "line");
        Assert.False(Channel.DeleteGroup("line"));
        using ByteConsumer next = Channel.CreateConsumer(Membership with { Start = StartPosition.Latest });
        Write(9);
        Assert.Equal([9], ReadTo(next, 9));
        return Outcomes[isThere ? 0 : 1];
    }
}
