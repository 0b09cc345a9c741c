namespace ShmIpc.CrashTests.Operations;

/// <summary>One message, copied in.</summary>
internal sealed class Publish : ProducerOperation
{
    public override string What => "publishes a message";

    public override void Act() => Producer.TryWrite(Message);
}
