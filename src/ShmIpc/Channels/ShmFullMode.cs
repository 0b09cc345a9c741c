namespace ShmIpc.Channels;

/// <summary>What happens to a message for which a channel has no room, because a consumer has not read what stands there.</summary>
/// <remarks>As in <see cref="System.Threading.Channels.BoundedChannelFullMode"/>. Every producer has room of its own, so it is a producer's
/// own messages that wait, are dropped, or make room.</remarks>
public enum ShmFullMode
{
    /// <summary>The producer waits for the slowest consumer, and nothing is lost. The default.</summary>
    Wait = 0,

    /// <summary>The message that is being written is dropped, and counted; writing says that it succeeded. What consumers get has no
    /// gaps but those.</summary>
    DropWrite = 1,

    /// <summary>The oldest messages make room, whoever has not read them: the producer never waits. A consumer that was too slow learns
    /// how many messages it lost.</summary>
    DropOldest = 2,
}
