// The outcome of one run of the driver, ready to be printed or written.

using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports;

internal sealed record Report(Machine Machine, Plan Plan, IReadOnlyList<ScenarioResult> Results)
{
    public static readonly string[] Columns = ["measure", "ShmIpc", "baseline", "ratio", "target", "met"];

    public static readonly string[] PercentileColumns = ["round trip 64 B", "typical", "p50", "p90", "p99", "p99.9", "max"];

    public string Summary =>
        $"Up to {Plan.Repetitions} interleaved repetitions of {Plan.Measure.TotalMilliseconds} ms on processors {Machine.Cpus}; " +
        "medians (smallest .. largest); ratios are of neighbouring runs. A round trip is the median batch of 64, " +
        "without a clock in between; percentiles are of round trips timed one by one.";

    public string MachineText =>
        $"{Machine.Processor}, {Machine.Processors} processors, {Machine.Kernel}, {Machine.Runtime}, " +
        $"load average before: {Machine.LoadBefore}";

    public IEnumerable<string[]> Rows() => Results.SelectMany(r => r.Rows()).Select(row => new[]
    {
        row.Measure,
        row.Subject,
        row.BaselineName == row.Baseline ? row.Baseline : $"{row.BaselineName}: {row.Baseline}",
        row.Ratio,
        row.Target,
        row.MetText,
    });

    public IEnumerable<string[]> PercentileRows() =>
        from result in Results.Where(r => r.Scenario.HasPercentiles)
        from contender in result.Scenario.Contenders
        where result.WhyNotMeasured(contender) is null
        select new[] { contender.Name }
            .Concat(new[] { Metric.Typical, Metric.P50, Metric.P90, Metric.P99, Metric.P999, Metric.Max }
                .Select(metric => Spread.Of(result.Observations(contender).Select(metric.Read)).Format(metric.Format)))
            .ToArray();
}
