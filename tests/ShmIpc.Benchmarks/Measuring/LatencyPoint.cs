namespace ShmIpc.Benchmarks.Measuring;

/// <summary>One point of a distribution of latencies, for a plot.</summary>
/// <param name="Percentile">0 to 100: how many of a hundred took no longer.</param>
/// <param name="Ns">Nanoseconds.</param>
internal sealed record LatencyPoint(double Percentile, double Ns);
