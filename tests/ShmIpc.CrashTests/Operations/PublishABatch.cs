using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Three messages at once.</summary>
internal class PublishABatch : ProducerOperation
{
    public override string What => "publishes a batch of three";

    public override string[] Outcomes { get; } = ["no trace of it", "all three, whole"];

    protected override byte[][] Published { get; } = [Bytes(100, 1), Bytes(20, 2), Bytes(300, 3)];

    public override void Act()
    {
        using Batch batch = Producer.BeginBatch();
        Add(batch);
        batch.Publish();
    }

    protected void Add(Batch batch)
    {
        foreach (byte[] payload in Published)
        {
            batch.Write(payload, Patience);
        }
    }
}
