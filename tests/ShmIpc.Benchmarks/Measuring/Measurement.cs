// The one thread's clocks and counters that every role reads.

using System.Diagnostics;
using HdrHistogram;

namespace ShmIpc.Benchmarks.Measuring;

internal static class Measurement
{
    /// <summary>Operations between two looks at the clock.</summary>
    public const int Batch = 64;

    /// <summary>How finely the rate of a one-way run is looked at: several times as long as a lane takes to fill.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMicroseconds(250);

    /// <summary>What a ping sends last: the echo ends with it.</summary>
    public const ulong LastNumber = ulong.MaxValue;

    private const long LongestNs = 60_000_000_000;

    /// <summary>An empty one of times in nanoseconds, with three digits of each.</summary>
    public static LongHistogram NewHistogram() => new(1, LongestNs, 3);

    public static void Record(LongHistogram histogram, long ticks) => histogram.RecordValue(Math.Min(Nanoseconds(ticks), LongestNs));

    public static long ToTicks(TimeSpan duration) => (long)(duration.TotalSeconds * Stopwatch.Frequency);

    public static long Nanoseconds(long ticks) => Stopwatch.Frequency == 1_000_000_000 ? ticks : (long)(ticks * 1e9 / Stopwatch.Frequency);

    public static double Seconds(long ticks) => ticks / (double)Stopwatch.Frequency;

    public static long Preemptions()
    {
        const string Field = "nonvoluntary_ctxt_switches:";
        string? line = File.ReadLines("/proc/thread-self/status").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan(Field.Length));
    }

    /// <summary>Fails the run: what was measured would mean nothing.</summary>
    public static void ThrowWrongMessage(ulong expected, ulong actual) =>
        throw new InvalidDataException($"Message {actual} came in place of {expected}.");
}
