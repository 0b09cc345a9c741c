using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A batch is acknowledged as a whole; one that acknowledges message by message cannot read batches.</summary>
internal sealed class AcknowledgeABatch : ExclusiveOperation
{
    public override string What => "reads 1 to 3 as a batch, releases it";

    public override string[] Outcomes => [Gets(11, 21, 31), Gets(12, 21, 31), Gets(12, 22, 32), Gets()];

    public override void Act()
    {
        Assert.True(Member.TryReadBatch(10, out RecordBatch batch));
        Assert.Equal(Messages, batch.Count);
        batch.Release();
    }
}
