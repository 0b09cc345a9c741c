using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Each write waits for the disk.</summary>
internal sealed class PublishDurably : PublishOnADisk
{
    public override string What => "publishes a message and waits for the disk (Flush.Sync)";

    protected override ShmFlushMode Flush => ShmFlushMode.Sync;
}
