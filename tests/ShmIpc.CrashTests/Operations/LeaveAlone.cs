using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Its group ends with it.</summary>
internal sealed class LeaveAlone : GroupEntryOperation
{
    private ByteConsumer? _consumer;

    public override string Role => "consumer without a name";

    public override string What => "is disposed";

    public override string[] Outcomes => [OfTheDead, HalfEnded, NoGroup];

    public override void Act() => _consumer!.Dispose();

    protected override void Prepare()
    {
        _consumer = Channel.CreateConsumer();
        Write(0, 1);
        _consumer.Read(Patience);
    }
}
