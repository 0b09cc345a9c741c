namespace ShmIpc.Channels;

/// <summary>When a message counts as finished with. What is not acknowledged when its reader dies is delivered again, to another member of
/// its named group.</summary>
public enum AcknowledgeMode
{
    /// <summary>When the next message is asked for, when the reader waits, and when it is disposed. The default.</summary>
    Auto,

    /// <summary>When the reader says so. Several messages can be in flight (<see cref="ConsumerOptions.MaxInFlight"/>).</summary>
    Manual,
}
