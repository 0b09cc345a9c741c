using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>It has read a message, and is finished with it when it goes.</summary>
internal class LeaveAsActiveMember : GroupEntryOperation
{
    private ByteConsumer? _member;
    private ByteConsumer? _other;

    public override string Role => "active member of an exclusive group";

    public override string What => "is disposed, a message in hand";

    public override string[] Outcomes => ["the stand-by gets that message again", "the stand-by goes on behind it"];

    protected virtual ConsumerOptions Membership => new() { Group = "line" };

    public override void Act() => _member!.Dispose();

    public override void Ready() => _other = Channel.CreateConsumer(Membership);

    protected override void Prepare()
    {
        _member = Channel.CreateConsumer(Membership);
        Write(0, 1);
        _member.Read(Patience);
    }

    protected override string Look()
    {
        using ByteConsumer other = _other!;
        List<byte> got = [];
        Write(2);
        while (!got.Contains(2) || !got.Contains(1)) // what a dead member held comes a little later
        {
            ShmRecord record = other.Read(Patience);
            got.Add(record.Payload[0]);
            Assert.Equal(got[^1] == 0 ? 2 : 1, record.DeliveryCount);
        }

        Thread.Sleep(20); // longer than the other member goes without looking for what the dead held
        while (other.TryRead(out ShmRecord record))
        {
            got.Add(record.Payload[0]);
        }

        got.Sort();
        return got switch
        {
            [0, 1, 2] => Outcomes[0],
            [1, 2] when Outcomes.Length > 1 => Outcomes[1],
            _ => string.Join(", ", got),
        };
    }
}
