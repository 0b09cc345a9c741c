using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports.Plots;

/// <summary>The plots of a run: one for each distribution of latencies, and one for each name in the scenarios' plot points.</summary>
internal static class Figures
{
    public static IReadOnlyList<Figure> Of(Report report) =>
    [
        .. report.Results.Where(r => r.Scenario.HasPercentiles && LatencyFigure.CanShow(r))
            .Select(r => new LatencyFigure(r, report.Machine.Short)),
        .. report.Results.Where(r => r.Scenario.Point is not null).GroupBy(r => r.Scenario.Point!.Plot)
            .Select(group => new PointFigure(PlotWords.Of(group.Key), [.. group], report.Machine.Short))
            .Where(figure => figure.HasPoints),
    ];
}
