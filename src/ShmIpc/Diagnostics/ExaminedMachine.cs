using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.Diagnostics;

/// <summary>Everything that <see cref="Doctor"/> judges by; made up in tests.</summary>
internal sealed record ExaminedMachine
{
    public required string KernelRelease { get; init; }

    public required int ProcessorCount { get; init; }

    public required KernelFeatures Features { get; init; }

    public required MemoryLimits Limits { get; init; }

    /// <summary>The directory in which regions would be kept; it need not be there.</summary>
    public required string RegionRoot { get; init; }

    /// <summary>The machine that this process runs on.</summary>
    /// <param name="root">The root of the file system, for what is read from <c>/proc</c> and <c>/sys</c>; another one for tests.</param>
    public static ExaminedMachine Read(string root = "/") => new()
    {
        KernelRelease = KernelFile.Text(Path.Combine(root, "proc/sys/kernel/osrelease"))?.Trim() ?? "unknown",
        ProcessorCount = Environment.ProcessorCount,
        Features = KernelFeatures.Probe(),
        Limits = MemoryLimits.Read(root),
        RegionRoot = Regions.RegionRoot.PathOf(null),
    };
}
