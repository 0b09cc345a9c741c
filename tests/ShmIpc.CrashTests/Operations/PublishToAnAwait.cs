namespace ShmIpc.CrashTests.Operations;

/// <summary>The same, and the reader awaits.</summary>
internal sealed class PublishToAnAwait : PublishToASleeper
{
    public override string What => "publishes a message that a reader awaits";

    protected override byte[] Wait()
    {
        Assert.True(Consumer.WaitToReadAsync().AsTask().WaitAsync(Patience).GetAwaiter().GetResult());
        Assert.True(Consumer.TryRead(out Channels.ShmRecord record));
        return record.Payload.ToArray();
    }
}
