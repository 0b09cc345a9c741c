namespace ShmIpc.CrashTests.Operations;

/// <summary>A message that begins at the end of the lane and ends at its beginning.</summary>
internal sealed class PublishAcrossTheEnd : ProducerOperation
{
    public override string What => "publishes a message that wraps around the end of the lane";

    protected override byte[][] Before { get; } = [Bytes(2000, 1), Bytes(1800, 2)];

    protected override byte[][] Published { get; } = [Bytes(1000, 3)];

    public override void Ready() => ReadAll();

    public override void Act() => Producer.TryWrite(Published[0]);
}
