using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Beside the active member.</summary>
internal class JoinAsStandBy : GroupEntryOperation
{
    private ByteConsumer? _member;

    public override string Role => "stand-by of an exclusive group";

    public override string What => "joins";

    public override string[] Outcomes => ["the active member, which goes on"];

    protected virtual ConsumerOptions Membership => new() { Group = "line" };

    public override void Act() => Channel.CreateConsumer(Membership);

    protected override void SetStage()
    {
        _member = Channel.CreateConsumer(Membership);
        Write(0, 1, 2);
        _member.Read(Patience);
    }

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        using ByteConsumer member = _member!;
        Assert.True(member.IsActive);
        Assert.Equal([1, 2], ReadTo(member, 2));
        return Outcomes[0];
    }
}
