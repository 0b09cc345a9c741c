// End-to-end latency: from just before the producer handed the message to the channel (before serializing) until the consumer had it
// decoded.
// Both ends read the same clock, CLOCK_MONOTONIC, so the difference means what it says.
using System.Diagnostics;
using HdrHistogram;

namespace ShmIpc.Examples.Consumer;

/// <summary>Collects latencies; not thread-safe.</summary>
internal sealed class LatencyRecorder
{
    /// <summary>What the figures mean, for the reader of the output.</summary>
    public const string Meaning = "from before the producer's write to after the consumer's decoding";

    private const long LongestNanoseconds = 3_600_000_000_000;

    private readonly LongHistogram _nanoseconds = new(1, LongestNanoseconds, 3);

    /// <summary>Adds the latency of a message that was sent at <paramref name="sentTimestamp"/> and is here at
    /// <paramref name="nowTimestamp"/>.</summary>
    public void Add(long sentTimestamp, long nowTimestamp)
    {
        double nanoseconds = (nowTimestamp - sentTimestamp) * (1e9 / Stopwatch.Frequency);
        _nanoseconds.RecordValue(Math.Clamp((long)nanoseconds, 1, LongestNanoseconds));
    }

    /// <summary>The figures so far.</summary>
    public Latency Summarize() => _nanoseconds.TotalCount == 0 ? default : new Latency(
        _nanoseconds.TotalCount, Microseconds(50), Microseconds(99), Microseconds(99.9), Microseconds(100));

    private double Microseconds(double percentile) => _nanoseconds.GetValueAtPercentile(percentile) / 1000.0;
}
