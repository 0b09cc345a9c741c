// The outcome of one run of the driver, ready to be printed or written.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports;

internal sealed record Report(Machine Machine, Plan Plan, IReadOnlyList<ScenarioResult> Results)
{
    public static readonly string[] Columns = ["measure", "target", "got", "ratio", "met"];

    public static readonly string[] PercentileColumns = ["round trip 64 B", "typical", "p50", "p90", "p99", "p99.9", "max"];

    public string Summary =>
        $"Up to {Plan.Repetitions} interleaved repetitions of {Plan.Measure.TotalMilliseconds} ms on processors {Machine.Cpus}; " +
        "medians (smallest .. largest); ratios are of runs of the same repetition; n runs each. A round trip is the median batch of 64, " +
        "without a clock in between; percentiles are of round trips timed one by one.";

    /// <summary>The rows that decide about a target.</summary>
    public IEnumerable<Row> TargetRows => Results.SelectMany(r => r.Rows()).Where(row => row.Target is not null);

    /// <summary>The rows that are there to explain others.</summary>
    public IEnumerable<Row> OtherRows => Results.SelectMany(r => r.Rows()).Where(row => row.Target is null);

    /// <summary>The last line of the console.</summary>
    public string TargetsMet
    {
        get
        {
            Row[] rows = [.. TargetRows];
            int unmeasured = rows.Count(row => row.IsMet is null);
            string unmeasuredText = unmeasured == 0 ? "" : $" ({unmeasured} not measured)";
            int elsewhere = Plan.Quick
                ? Scenario.All.Where(scenario => !scenario.IsQuick).Sum(scenario => scenario.Comparisons.Count(c => c.Target is not null))
                : 0;
            string elsewhereText = elsewhere == 0 ? "" : $"; {elsewhere} more are judged by the full run only";
            return $"{rows.Count(row => row.IsMet == true)} of {rows.Length} targets met{unmeasuredText}{elsewhereText}";
        }
    }

    /// <summary>What a contender showed in a scenario, or null when either is not part of the run, or was not measured.</summary>
    public Spread? Find(string scenario, string contender, Metric metric)
    {
        ScenarioResult? result = Results.FirstOrDefault(r => r.Scenario.Name == scenario);
        Contender? found = result?.Scenario.Contenders.FirstOrDefault(c => c.Name == contender);
        return found is null ? null : result!.Spread(found, metric);
    }

    public IEnumerable<string[]> PercentileRows() => PercentileRows(Results);

    public static IEnumerable<string[]> PercentileRows(IReadOnlyList<ScenarioResult> results) =>
        from result in results.Where(r => r.Scenario.HasPercentiles)
        from contender in result.Scenario.Contenders
        where result.WhyNotMeasured(contender) is null
        select new[] { contender.Name }
            .Concat(new[] { Metric.Typical, Metric.P50, Metric.P90, Metric.P99, Metric.P999, Metric.Max }
                .Select(metric => Spread.Of(result.Observations(contender).Select(metric.Read)).Format(metric.Format)))
            .ToArray();
}
