using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A thread of the library flushes; its period is long, so it does not while the victim dies.</summary>
internal sealed class PublishDurablyLater : PublishOnADisk
{
    public override string What => "publishes a message that is flushed later (Flush.Async)";

    protected override ShmFlushMode Flush => ShmFlushMode.Async;

    protected override ShmChannelOptions OptionsIn(string root) =>
        base.OptionsIn(root) with { FlushPeriod = TimeSpan.FromHours(1) };
}
