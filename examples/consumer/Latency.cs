// The latency figures of a run.
using System.Globalization;

namespace ShmIpc.Examples.Consumer;

/// <summary>Latencies in microseconds: half of all messages were as fast as <paramref name="P50"/> or faster, and so on.</summary>
internal readonly record struct Latency(long Count, double P50, double P99, double P999, double Max)
{
    /// <summary>The figures on one line.</summary>
    public override string ToString() => Count == 0
        ? "-"
        : $"p50 {Format(P50)}  p99 {Format(P99)}  p99.9 {Format(P999)}  max {Format(Max)}";

    /// <summary>A latency with a unit that suits it.</summary>
    public static string Format(double microseconds) => microseconds switch
    {
        < 1000 => microseconds.ToString("0.0", CultureInfo.InvariantCulture) + " us",
        < 1_000_000 => (microseconds / 1000).ToString("0.00", CultureInfo.InvariantCulture) + " ms",
        _ => (microseconds / 1_000_000).ToString("0.00", CultureInfo.InvariantCulture) + " s",
    };
}
