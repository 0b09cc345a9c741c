using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>With checksums, and nobody flushes. A death, other than a power cut, loses nothing that is in the page cache.</summary>
internal class PublishOnADisk : ProducerOperation
{
    public override string What => "publishes a message with a checksum, on a disk";

    public override bool IsOnDisk => true;

    protected virtual ShmFlushMode Flush => ShmFlushMode.None;

    protected override ShmChannelOptions OptionsIn(string root) => base.OptionsIn(root) with { Checksums = true, Flush = Flush };

    public override void Act() => Producer.TryWrite(Message);
}
