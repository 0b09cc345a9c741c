using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>In no group.</summary>
internal sealed class JoinAsObserver : GroupEntryOperation
{
    private ByteConsumer? _consumer;

    public override string Role => "observer";

    public override string What => "joins, reads, and is disposed";

    public override string[] Outcomes => ["the others, who go on"];

    public override void Act()
    {
        using ByteConsumer observer = Channel.CreateObserver(StartPosition.Earliest);
        observer.Read(Patience);
    }

    protected override void SetStage()
    {
        _consumer = Channel.CreateConsumer();
        Write(0, 1, 2);
    }

    protected override void Prepare()
    {
    }

    protected override string Look()
    {
        using (ByteConsumer consumer = _consumer!)
        {
            Assert.Equal([0, 1, 2], ReadTo(consumer, 2));
        }

        WriteLaps();
        return Outcomes[0];
    }
}
