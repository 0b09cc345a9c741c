namespace ShmIpc.CrashTests.Operations;

/// <summary>A producer whose lane is full of what the consumer has read already: the next message raises the floor first.</summary>
internal abstract class FullLaneOperation : ProducerOperation
{
    /// <summary>Messages of 56 bytes that a lane of 4 KiB has room for: records of 64, and the terminator behind them.</summary>
    protected const int Full = 63;

    protected override byte[][] Before { get; } = [.. Enumerable.Range(0, Full).Select(i => Bytes(56, i))];

    public override void Ready() => ReadAll();
}
