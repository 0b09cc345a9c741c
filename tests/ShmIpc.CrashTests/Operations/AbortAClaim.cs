using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Room that was claimed, written to, and given back.</summary>
internal sealed class AbortAClaim : ProducerOperation
{
    public override string What => "claims room, and aborts";

    public override string[] Outcomes { get; } = ["no trace of it"];

    protected override byte[][] Published { get; } = [];

    public override void Act()
    {
        using Claim claim = Producer.Claim(2 * Message.Length, Patience);
        Message.CopyTo(claim.Span);
        claim.Abort();
    }
}
