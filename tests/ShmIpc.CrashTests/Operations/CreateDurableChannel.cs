using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

/// <summary>On a disk.</summary>
internal sealed class CreateDurableChannel : ChannelCreation
{
    public override string What => "creates a channel on a disk (`Flush = Sync`)";

    public override bool IsOnDisk => true;

    protected override ShmChannelOptions Options => base.Options with { Flush = ShmFlushMode.Sync };

    public override void Act() => ShmByteChannel.CreateOrOpen(Name, Options).Dispose();
}
