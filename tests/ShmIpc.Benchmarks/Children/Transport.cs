namespace ShmIpc.Benchmarks.Children;

/// <summary>What the messages of a pair travel through.</summary>
internal enum Transport
{
    /// <summary>A byte channel, written with <c>TryWrite</c>.</summary>
    Channel,

    /// <summary>A byte channel, written in place with <c>TryClaim</c> and <c>Commit</c>.</summary>
    ChannelClaim,

    /// <summary>A byte channel, written and read in batches.</summary>
    ChannelBatch,

    /// <summary>A Unix stream socket, each message behind a 4-byte length.</summary>
    UnixSocket,
}
