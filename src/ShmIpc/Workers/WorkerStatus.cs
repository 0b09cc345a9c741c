namespace ShmIpc.Workers;

/// <summary>What a worker was when somebody looked (<see cref="WorkerPool.Workers"/>).</summary>
public sealed record WorkerStatus
{
    /// <summary>Its place in the pool, from 0. Who dies is replaced in the same place.</summary>
    public required int Index { get; init; }

    /// <summary>What it is at.</summary>
    public required WorkerState State { get; init; }

    /// <summary>Its process; null when there is none at the moment.</summary>
    public int? ProcessId { get; init; }

    /// <summary>Jobs that this place has answered, over all of its processes; failed and cancelled ones included.</summary>
    public long JobsDone { get; init; }

    /// <summary>How many processes of this place have been replaced.</summary>
    public int Restarts { get; init; }

    /// <summary>How the last process of this place ended; null while none has.</summary>
    public WorkerExit? LastExit { get; init; }

    /// <summary>Bytes of memory by the kernel's proportional count (PSS): its own, and its share of what others map too. Null when there
    /// is no process, or the kernel does not say.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Bytes of memory that only it has (<c>Private_Clean</c> and <c>Private_Dirty</c>): what the machine would get back if it
    /// ended. Null as <see cref="MemoryBytes"/>.</summary>
    public long? PrivateBytes { get; init; }

    /// <summary>How long its process took from the launch until it was ready; null until it is, and when there is no
    /// process.</summary>
    public TimeSpan? ReadyAfter { get; init; }

    /// <summary>The limit of its managed heap that the runtime reports, in bytes; null when none was asked for or it was refused.</summary>
    public long? MemoryLimitBytes { get; init; }

    /// <summary>The processors that the kernel lets it use, such as <c>0-3,6</c>; null until it is ready.</summary>
    public string? Cpus { get; init; }

    /// <summary>What was asked for and not granted, with the reason and the cure; empty when all was.</summary>
    public IReadOnlyList<string> Refusals { get; init; } = [];
}
