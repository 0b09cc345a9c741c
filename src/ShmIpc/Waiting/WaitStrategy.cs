namespace ShmIpc.Waiting;

/// <summary>How a thread waits for a message or for room, once there is none.</summary>
public enum WaitStrategy
{
    /// <summary>Spins for a short while if spinning has recently paid, then sleeps until woken. The default.</summary>
    Adaptive,

    /// <summary>Spins without end: the lowest latency, one processor core fully busy for as long as it waits.</summary>
    BusySpin,

    /// <summary>Sleeps at once: the least processor time, some 50 microseconds of latency for each wake-up.</summary>
    Park,
}
