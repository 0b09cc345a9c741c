// One plot of those that the scenarios name by their PlotPoint: a series for each contender, a point for each scenario, at the median,
// with a bar from the smallest to the largest.

using ScottPlot;
using ScottPlot.Plottables;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports.Plots;

internal sealed class PointFigure(PlotWords words, IReadOnlyList<ScenarioResult> results, string machine) : Figure(
    words.Name, words.Title, machine, [.. results.Select(r => r.Scenario)])
{
    private readonly Metric _metric = results[0].Scenario.Point!.Metric;

    private string[] Names => [.. results.SelectMany(r => r.Scenario.Contenders).Select(c => c.Name).Distinct()];

    private double[] Places => [.. results.Select(r => r.Scenario.Point!.X).Distinct().Order()];

    /// <summary>The columns of <see cref="TableRows"/>.</summary>
    public string[] TableColumns => [words.Across, .. Names];

    /// <summary>The medians, one line for each place on the horizontal axis.</summary>
    public IEnumerable<string[]> TableRows => Places.Select(x => new[] { words.Label(x) }
        .Concat(Names.Select(name => Find(name, x) is { } spread ? _metric.Format(spread.Median) : "-")).ToArray());

    /// <summary>Whether anything was measured at all.</summary>
    public bool HasPoints => Names.Any(name => PointsOf(name).Length > 0);

    protected override string Legend => "Points: the median repetition; bars: from the smallest to the largest";

    protected override (AxisScale Across, AxisScale Up) Draw(Plot plot)
    {
        IReadOnlyDictionary<string, SeriesStyle> styles = SeriesStyle.Assign(Names);
        Spread[] all = [.. Names.SelectMany(PointsOf).Select(p => p.Value)];
        AxisScale across = AxisScale.OfValues(Places, words.Label);
        AxisScale up = AxisScale.OfRange(all.Min(s => s.Min), all.Max(s => s.Max), value => TickText.Of(_metric, value));
        foreach (string name in Names)
        {
            (double X, Spread Value)[] points = PointsOf(name);
            if (points.Length == 0)
            {
                continue;
            }

            double[] xs = [.. points.Select(p => across.At(p.X))];
            double[] ys = [.. points.Select(p => up.At(p.Value.Median))];
            double[] down = [.. points.Select((p, i) => ys[i] - up.At(p.Value.Min))];
            double[] above = [.. points.Select((p, i) => up.At(p.Value.Max) - ys[i])];
            ErrorBar bars = new(xs, ys, null, null, yErrorsPositive: above, yErrorsNegative: down)
            {
                Color = styles[name].Color.WithAlpha(120),
                LineWidth = 1.2f,
                CapSize = 5,
            };
            plot.Add.Plottable(bars);
            var line = plot.Add.Scatter(xs, ys);
            line.LegendText = name;
            styles[name].ApplyTo(line, withMarkers: true);
        }

        plot.XLabel(words.Across);
        plot.YLabel(words.Up ?? _metric.Name);
        return (across, up);
    }

    private (double X, Spread Value)[] PointsOf(string name) =>
        [.. Places.Select(x => (x, Find(name, x))).Where(p => p.Item2 is not null).Select(p => (p.x, p.Item2!))];

    private Spread? Find(string name, double x)
    {
        foreach (ScenarioResult result in results.Where(r => r.Scenario.Point!.X == x))
        {
            if (result.Scenario.Contenders.FirstOrDefault(c => c.Name == name) is { } contender
                && result.Spread(contender, result.Scenario.Point!.Metric) is { } spread)
            {
                return spread;
            }
        }

        return null;
    }
}
