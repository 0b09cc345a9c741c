// Everything, each single observation included, for plots and for comparing one run with another.

using System.Text.Json;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports;

internal static class JsonReport
{
    public static void Write(Report report, string path)
    {
        var content = new
        {
            report.Machine,
            report.TargetsMet,
            report.Plan.Quick,
            report.Plan.Repetitions,
            MeasureMilliseconds = report.Plan.Measure.TotalMilliseconds,
            Scenarios = report.Results.Select(result => new
            {
                result.Scenario.Name,
                Plot = result.Scenario.Point is { } point ? new { point.Plot, point.X, Metric = point.Metric.Name } : null,
                Rows = result.Rows(),
                Contenders = result.Scenario.Contenders.Select(contender => new
                {
                    contender.Name,
                    NotMeasured = result.WhyNotMeasured(contender),
                    Observations = result.Observations(contender),
                }),
            }),
        };
        File.WriteAllText(path, JsonSerializer.Serialize(content, JsonLine.Indented) + "\n");
    }
}
