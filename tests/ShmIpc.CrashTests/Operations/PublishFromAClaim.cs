using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>One message, written in place.</summary>
internal sealed class PublishFromAClaim : ProducerOperation
{
    public override string What => "claims room, and commits a message";

    public override void Act()
    {
        using Claim claim = Producer.Claim(2 * Message.Length, Patience);
        Message.CopyTo(claim.Span);
        claim.Commit(Message.Length);
    }
}
