namespace ShmIpc.Workers;

/// <summary>What a worker's place in the pool is at.</summary>
public enum WorkerState
{
    /// <summary>Its process is starting and has not said yet that it is ready.</summary>
    Starting,

    /// <summary>It is ready, and has no job.</summary>
    Idle,

    /// <summary>It works on a job; a plain body is always busy.</summary>
    Busy,

    /// <summary>Its process has ended, and the next one starts after a pause.</summary>
    Restarting,

    /// <summary>It was told to stop.</summary>
    Stopping,

    /// <summary>Its process has ended and will not be replaced: the pool has stopped, or a plain body has returned.</summary>
    Stopped,
}
