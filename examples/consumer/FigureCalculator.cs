// Turns the counters of two samples into rates. A counter that is missing in the older sample, or went backwards (a disk was unplugged and
// another took its name, an interface was reset), has no rate.
using System.Diagnostics;
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Consumer;

/// <summary>Derives figures; <paramref name="older"/> is null for the first sample.</summary>
internal sealed class FigureCalculator(TelemetrySample? older, TelemetrySample newer)
{
    private readonly TimeSpan _interval = older is null || newer.SampledTimestamp <= older.SampledTimestamp
        ? TimeSpan.Zero
        : Stopwatch.GetElapsedTime(older.SampledTimestamp, newer.SampledTimestamp);

    /// <summary>The figures between the two samples.</summary>
    public TelemetryFigures Calculate() => new()
    {
        Sample = newer,
        Interval = _interval,
        CpuPercent = CpuPercent(),
        Cores = Cores(),
        Disks = Disks(),
        Networks = Networks(),
        Processes = Processes(),
    };

    private double? CpuPercent()
    {
        if (_interval == TimeSpan.Zero)
            return null;
        (long busy, long total) = (0, 0);
        foreach ((CoreCounters before, CoreCounters after) in Pairs(s => s.Cores, c => c.Index))
        {
            busy += Math.Max(0, after.BusyTicks - before.BusyTicks);
            total += Math.Max(0, after.TotalTicks - before.TotalTicks);
        }
        return total == 0 ? null : Percent(busy, total);
    }

    private CoreLoad[] Cores() => [.. Pairs(s => s.Cores, c => c.Index).Select(pair => new CoreLoad(
        pair.After.Index,
        Percent(pair.After.BusyTicks - pair.Before.BusyTicks, pair.After.TotalTicks - pair.Before.TotalTicks)))];

    private DiskRate[] Disks() => [.. Pairs(s => s.Disks, d => d.Name).Select(pair => new DiskRate(
        pair.After.Name,
        PerSecond(pair.After.ReadBytes - pair.Before.ReadBytes),
        PerSecond(pair.After.WrittenBytes - pair.Before.WrittenBytes),
        Percent(pair.After.BusyMilliseconds - pair.Before.BusyMilliseconds, _interval.TotalMilliseconds)))];

    private NetworkRate[] Networks() => [.. Pairs(s => s.Networks, n => n.Name).Select(pair => new NetworkRate(
        pair.After.Name,
        PerSecond(pair.After.ReceivedBytes - pair.Before.ReceivedBytes),
        PerSecond(pair.After.SentBytes - pair.Before.SentBytes)))];

    private ProcessLoad[] Processes() => [.. Pairs(s => s.Processes, p => (p.ProcessId, p.StartTicks))
        .Select(pair => new ProcessLoad(
            pair.After,
            PerSecond(pair.After.CpuTicks - pair.Before.CpuTicks) * 100 / ProcessCounters.TicksPerSecond))
        .Where(process => process.CpuPercent > 0)
        .OrderByDescending(process => process.CpuPercent)];

    private IEnumerable<(T Before, T After)> Pairs<T, TKey>(Func<TelemetrySample, T[]> items, Func<T, TKey> key)
        where TKey : notnull
    {
        if (older is null || _interval == TimeSpan.Zero)
            yield break;
        var before = new Dictionary<TKey, T>();
        foreach (T item in items(older))
            before[key(item)] = item;
        foreach (T item in items(newer))
        {
            if (before.TryGetValue(key(item), out T? match))
                yield return (match, item);
        }
    }

    private double PerSecond(long difference) => Math.Max(0, difference) / _interval.TotalSeconds;

    private static double Percent(double part, double whole) => whole <= 0 ? 0 : Math.Clamp(100 * part / whole, 0, 100);
}
