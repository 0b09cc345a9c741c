namespace ShmIpc.Benchmarks.Scenarios;

/// <summary>Where a scenario stands in a plot: each of its contenders is one series there.</summary>
/// <param name="Plot">File name of the plot, without an ending: "throughput-by-size", "scaling-by-groups", ...</param>
/// <param name="X">Its place on the horizontal axis: bytes, groups, lanes.</param>
/// <param name="Metric">What the vertical axis shows.</param>
internal sealed record PlotPoint(string Plot, double X, Metric Metric);
