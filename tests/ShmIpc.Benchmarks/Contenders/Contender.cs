// One thing that is measured: it knows how to run itself once, in two processes, and nothing of whom it is compared with.

namespace ShmIpc.Benchmarks.Contenders;

internal abstract class Contender(string name)
{
    /// <summary>Unique within its scenario, and readable: it stands in the tables.</summary>
    public string Name { get; } = name;

    /// <summary>Why this contender cannot be run here, or null.</summary>
    public virtual string? Unavailable(Plan plan) => null;

    /// <summary>Runs both processes to their end and returns what they measured.</summary>
    public abstract Task<Observation> ObserveAsync(Plan plan, string directory, CancellationToken cancellation);
}
