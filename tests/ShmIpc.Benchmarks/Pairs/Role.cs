namespace ShmIpc.Benchmarks.Pairs;

/// <summary>What one process of a pair does. Ping and receiver measure; echo and sender serve
/// them.</summary>
internal enum Role
{
    Ping,
    Echo,
    Receiver,
    Sender,

    /// <summary>No pair: one thread writes each message and reads it back.</summary>
    Alone,
}
