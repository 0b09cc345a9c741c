namespace ShmIpc.CrashTests.Operations;

/// <summary>The same, handed over all at once.</summary>
internal sealed class PublishABatchAsync : PublishABatch
{
    public override string What => "publishes a batch of three, awaiting";

    public override void Act() =>
        Producer.WriteBatchAsync(Array.ConvertAll(Published, payload => (ReadOnlyMemory<byte>)payload)).AsTask().GetAwaiter().GetResult();
}
