namespace ShmIpc.CrashTests.Operations;

/// <summary>The same without a thread.</summary>
internal sealed class AwaitAMessage : WaitForAMessage
{
    public override string What => "awaits a message";

    public override bool IsOnEveryThread => true;

    public override void Act()
    {
        using CancellationTokenSource end = new(Long);
        Assert.ThrowsAny<OperationCanceledException>(() => Consumer.WaitToReadAsync(end.Token).AsTask().GetAwaiter().GetResult());
    }
}
