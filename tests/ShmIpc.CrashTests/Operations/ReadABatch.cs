using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Several messages, and the room of all of them is given back.</summary>
internal sealed class ReadABatch : ConsumerOperation
{
    public override string What => "reads a batch and releases it";

    public override void Act()
    {
        Assert.True(Consumer.TryReadBatch(10, out RecordBatch batch));
        Assert.Equal(Messages, batch.Count);
        batch.Release();
    }
}
