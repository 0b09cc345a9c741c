using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

/// <summary>On a disk, where the lane is made durable before anything is written to it.</summary>
internal sealed class TakeOverDurableLane : TakeOverLane
{
    public override string What => "takes over the lane, on a disk (`Flush = Sync`), of a producer that died in a batch";

    public override bool IsOnDisk => true;

    protected override ShmChannelOptions OptionsIn(string root) => base.OptionsIn(root) with { Flush = ShmFlushMode.Sync };
}
