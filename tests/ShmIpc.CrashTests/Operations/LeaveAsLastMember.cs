using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The last one of a named group that is not durable.</summary>
internal class LeaveAsLastMember : GroupEntryOperation
{
    private ByteConsumer? _member;

    public override string Role => "last member of an exclusive group";

    public override string What => "is disposed, a message unacknowledged";

    public override string[] Outcomes => [OfTheDead, HalfEnded, NoGroup];

    protected virtual ConsumerOptions Membership => new() { Group = "line", Acknowledge = AcknowledgeMode.Manual };

    public override void Act() => _member!.Dispose();

    protected override void Prepare()
    {
        _member = Channel.CreateConsumer(Membership);
        Write(0, 1);
        _member.Read(Patience);
    }
}
