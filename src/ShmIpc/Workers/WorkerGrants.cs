// Asks the machine for what the options ask for a worker, in the worker, and reports what it got.

using System.Globalization;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

/// <param name="MemoryLimitBytes">The managed heap's limit as the runtime says it; null when none was asked for or it was refused.</param>
/// <param name="Cpus">The processors that the kernel lets the process use.</param>
/// <param name="Refusals">What was not granted, and why.</param>
internal sealed record WorkerGrants(long? MemoryLimitBytes, string Cpus, IReadOnlyList<string> Refusals)
{
    public static WorkerGrants Take(WorkerSettings settings)
    {
        List<string> refusals = [];
        if (settings.Cpus.Count > 0 && LinuxProcessors.TryRestrict(settings.Cpus) is { } refusal)
        {
            refusals.Add(refusal);
        }

        long? limit = settings.MemoryLimitBytes is { } bytes ? LimitHeap(bytes, refusals) : null;
        return new WorkerGrants(limit, LinuxProcessors.Allowed(), refusals);
    }

    public static WorkerGrants Read(IReadOnlyList<string> texts) => texts.Count < 2
        ? new WorkerGrants(null, "", [])
        : new WorkerGrants(
            long.TryParse(texts[0], CultureInfo.InvariantCulture, out long limit) ? limit : null, texts[1], [.. texts.Skip(2)]);

    public IReadOnlyList<string> Write() =>
        [MemoryLimitBytes?.ToString(CultureInfo.InvariantCulture) ?? "", Cpus, .. Refusals];

    // A limit of the address space (RLIMIT_AS) would stop the runtime, which reserves far more than it uses. The heap's limit can be set
    // while the runtime runs, so it works in a forked worker too.
    private static long? LimitHeap(long bytes, List<string> refusals)
    {
        try
        {
            AppContext.SetData("GCHeapHardLimit", (ulong)bytes);
            GC.RefreshMemoryLimit();
            GC.Collect();
            long granted = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            if (granted <= bytes)
            {
                return granted;
            }

            refusals.Add($"MemoryLimitBytes {bytes}: the runtime kept its limit of {granted}.");
        }
        catch (InvalidOperationException error)
        {
            refusals.Add($"MemoryLimitBytes {bytes}: the runtime refused it, it uses more already: {error.Message}");
        }

        return null;
    }
}
