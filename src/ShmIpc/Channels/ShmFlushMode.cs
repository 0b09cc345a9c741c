namespace ShmIpc.Channels;

/// <summary>When the messages of a channel on a disk become durable: when they survive a power cut. The death of a process loses nothing
/// that was published, in any mode.</summary>
public enum ShmFlushMode
{
    /// <summary>When the kernel gets to it, or at <see cref="ByteProducer.Flush"/>.</summary>
    None = 0,

    /// <summary>Within <see cref="ShmChannelOptions.FlushPeriod"/>, by a thread in the background.</summary>
    Async = 1,

    /// <summary>Before the write returns. Writers that wait at the same time share one trip to the disk.</summary>
    Sync = 2,
}
