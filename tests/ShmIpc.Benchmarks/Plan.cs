// What one run of the driver does: how often, how long, where.

namespace ShmIpc.Benchmarks;

internal sealed record Plan
{
    public required bool Quick { get; init; }

    public required int Repetitions { get; init; }

    /// <summary>How long the whole run may take. On a busy machine everything starts slowly: see <see cref="Schedule"/>.</summary>
    public required TimeSpan Budget { get; init; }

    /// <summary>How long a .NET process runs before it measures: the runtime compiles hot methods up to three times.</summary>
    public required TimeSpan WarmUp { get; init; }

    public required TimeSpan Measure { get; init; }

    /// <summary>How long one run of one contender may take until it is killed.</summary>
    public TimeSpan Timeout => WarmUp + (2 * Measure) + TimeSpan.FromSeconds(20);

    public required CpuPair Cpus { get; init; }

    /// <summary>An empty directory, for channels that are to be on a disk; removed in the end.</summary>
    public string? DiskDirectory { get; init; }

    /// <summary>Where the compiled C programs are; null when there was no compiler.</summary>
    public string? NativeDirectory { get; init; }

    public static TimeSpan DefaultBudget(bool quick) => quick ? TimeSpan.FromSeconds(160) : TimeSpan.FromMinutes(30);

    public static Plan Create(bool quick, TimeSpan budget, CpuPair cpus, string? nativeDirectory) => new()
    {
        Quick = quick,
        Repetitions = quick ? 5 : 15,
        Budget = budget,
        WarmUp = TimeSpan.FromMilliseconds(quick ? 400 : 500),
        Measure = TimeSpan.FromMilliseconds(quick ? 150 : 400),
        Cpus = cpus,
        NativeDirectory = nativeDirectory,
    };
}
