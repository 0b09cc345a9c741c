// What one run of the driver does: how often, how long, where.

namespace ShmIpc.Benchmarks;

internal sealed record Plan
{
    public required bool Quick { get; init; }

    public required int Repetitions { get; init; }

    /// <summary>On a busy machine everything starts slowly: a scenario that has used its share of this makes do with fewer repetitions.</summary>
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

    public static Plan Create(bool quick, CpuPair cpus, string? nativeDirectory) => new()
    {
        Quick = quick,
        Repetitions = quick ? 5 : 15,
        Budget = TimeSpan.FromMinutes(quick ? 2.3 : 30),
        WarmUp = TimeSpan.FromMilliseconds(quick ? 400 : 1000),
        Measure = TimeSpan.FromMilliseconds(quick ? 150 : 500),
        Cpus = cpus,
        NativeDirectory = nativeDirectory,
    };
}
