using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Workers;

/// <summary>What a worker is told at its start. In the parent its handles stay the pool's; in the worker they are the worker's.</summary>
/// <param name="Index">The worker's place in the pool.</param>
/// <param name="Incarnation">How often that place has been filled before.</param>
/// <param name="Body">Assembly-qualified type and method of what is to run.</param>
/// <param name="RegionName">What messages call the region.</param>
/// <param name="Region">The pool's region: a memory file, to be opened anew.</param>
/// <param name="Settings">Whatever else the worker is to know.</param>
internal sealed record WorkerLaunch(
    int Index,
    int Incarnation,
    string Body,
    string RegionName,
    SafeFileHandle? Region,
    IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>More memory files, in the order in which the parent gave them.</summary>
    public IReadOnlyList<SafeFileHandle> MoreRegions { get; init; } = [];

    /// <summary>Regions that the program shares with its workers; in the worker they are in the <see cref="SharedRegionTable"/>.</summary>
    public IReadOnlyList<SharedRegion> Shared { get; init; } = [];

    /// <summary>The <see cref="StaticMethod"/> that takes the launch in the worker and returns the exit code, in place of
    /// <see cref="WorkerMain.Run"/>: for a worker that is a process and no more.</summary>
    public string? Entry { get; init; }

    /// <summary>The <see cref="StaticMethod"/> that a fork server runs first; null in a worker's launch.</summary>
    public string? Preload { get; init; }

    /// <summary>True while a fork server plays a worker's part (<see cref="Rehearsal"/>): it may not handle signals.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>Does, in the worker, what it was started for, and returns its exit code.</summary>
    public int Run() => Entry is null ? WorkerMain.Run(this) : StaticMethod.Find(Entry).CreateDelegate<Func<WorkerLaunch, int>>()(this);
}
