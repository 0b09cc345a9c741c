using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The first member makes the group, and the channel's oldest messages are its own.</summary>
internal class MakeDurableGroup : GroupEntryOperation
{
    public override string Role => "first member of a durable exclusive group";

    public override string What => "joins, which makes the group";

    public override string[] Outcomes => [NoGroup, HalfMade, "the group, which keeps its messages"];

    protected virtual ConsumerOptions Membership => new() { Group = "line", Durable = true };

    public override void Act() => Channel.CreateConsumer(Membership);

    protected override void SetStage() => Write(0, 1);

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        string outcome = Outcomes[Phase];
        if (outcome == Outcomes[2])
        {
            using ByteProducer producer = Channel.CreateProducer();
            while (producer.TryWrite(new byte[100]))
            {
            }
        }

        using ByteConsumer next = Channel.CreateConsumer(Membership);
        Assert.Equal(0, next.Read(Patience).Payload[0]);
        Assert.Equal(1, next.Read(Patience).Payload[0]);
        return outcome;
    }
}
