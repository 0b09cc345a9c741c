using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>With checksums, what the batch left behind could pass for records, and is taken away.</summary>
internal sealed class TakeOverChecksummedLane : TakeOverLane
{
    public override string What => "takes over the lane, with checksums, of a producer that died in a batch";

    protected override ShmChannelOptions OptionsIn(string root) => base.OptionsIn(root) with { Checksums = true };
}
