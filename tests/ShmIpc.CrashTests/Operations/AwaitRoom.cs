namespace ShmIpc.CrashTests.Operations;

/// <summary>The same without a thread.</summary>
internal sealed class AwaitRoom : WaitForRoom
{
    public override string What => "awaits room";

    public override bool IsOnEveryThread => true;

    public override void Act()
    {
        using CancellationTokenSource end = new(Long);
        Assert.ThrowsAny<OperationCanceledException>(() => Producer.WriteAsync(Message, end.Token).AsTask().GetAwaiter().GetResult());
    }
}
