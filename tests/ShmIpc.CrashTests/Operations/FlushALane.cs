using ShmIpc.Channels;
using ShmIpc.Memory;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The first Flush of a lane, on a channel that flushes nothing by itself.</summary>
internal sealed class FlushALane : PublishOnADisk
{
    public override string What => "flushes";

    public override string[] Outcomes { get; } =
        ["all that was published; nothing is flushed", "all that was published; from now on floors are flushed before they take effect"];

    protected override byte[][] Published { get; } = [];

    public override void Act() => Producer.Flush();

    protected override string Look()
    {
        base.Look();
        return Outcomes[Atomics.Acquire(ref Inside.Lane(0).Journaled)];
    }
}
