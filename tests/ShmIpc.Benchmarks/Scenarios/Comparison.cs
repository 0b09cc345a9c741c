// One row of the result: a figure of one contender, beside that of another.

using ShmIpc.Benchmarks.Contenders;

namespace ShmIpc.Benchmarks.Scenarios;

/// <param name="Measure">What is measured, in words.</param>
/// <param name="Metric">The figure compared.</param>
/// <param name="Subject">Ours.</param>
/// <param name="Baseline">What it is held against; null where the figure speaks for itself.</param>
/// <param name="Target">Null where the row is there to explain another.</param>
/// <param name="IsTimesBetter">The ratio says how many times better ours is, also where smaller is better.</param>
internal sealed record Comparison(string Measure, Metric Metric, Contender Subject, Contender? Baseline, Target? Target = null, bool IsTimesBetter = false);
