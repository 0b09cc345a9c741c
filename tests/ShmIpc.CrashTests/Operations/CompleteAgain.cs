using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The producer before it on the same lane left an error, too: what the consumers get is never half of one and half of the
/// other.</summary>
internal sealed class CompleteAgain : Complete
{
    private static readonly Exception _earlier = new TimeoutException("The tide came in, and the gauge was under water for too long.");

    public override string What => "completes with an error, where another has before";

    public override string[] Outcomes { get; } = [EndsWith(_earlier), "the consumer ends without an error", EndsWith(Error)];

    protected override void SetStage()
    {
        base.SetStage();
        using ByteProducer earlier = Channel.CreateProducer();
        earlier.TryComplete(_earlier);
    }
}
