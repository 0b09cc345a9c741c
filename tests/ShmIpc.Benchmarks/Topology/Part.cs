namespace ShmIpc.Benchmarks.Topology;

/// <summary>What one process of a topology does.</summary>
internal enum Part
{
    /// <summary>Reads what any number of feeders write, and measures.</summary>
    Collect,

    /// <summary>Writes into a lane of its own until it is told to stop.</summary>
    Feed,

    /// <summary>Writes as fast as it goes, with one thread or several, and measures.</summary>
    Publish,

    /// <summary>Publishes bursts that find room, and measures the processor time of nothing else.</summary>
    PublishBursts,

    /// <summary>Reads to the end of the channel, and checks what comes.</summary>
    Subscribe,

    /// <summary>Reads bursts for several groups, in turn with their publisher.</summary>
    ReadGroups,

    /// <summary>Creates a channel and keeps it there until it is told to stop.</summary>
    Host,

    /// <summary>Attaches to the host's channel again and again, and measures.</summary>
    Attach,

    /// <summary>Waits for messages that do not come, with a thread that sleeps, and measures.</summary>
    Idle,

    /// <summary>The same, with a pending await.</summary>
    IdleAwait,

    /// <summary>Nothing but a thread that sleeps 50 ms again and again: what so many wake-ups cost on this machine at least.</summary>
    IdleSleep,

    /// <summary>Makes many producers and consumers, and measures what memory each costs.</summary>
    CountMemory,

    /// <summary>A consumer that never reads: the one that is killed.</summary>
    Hold,

    /// <summary>Fills its lane, waits for room, and says when it went on.</summary>
    BeBlocked,
}
