// How the round trips of one scenario are distributed: how long the fastest half took, nine of ten, 99 of a hundred, and so on.

using ScottPlot;
using ScottPlot.Plottables;
using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports.Plots;

internal sealed class LatencyFigure(ScenarioResult result, string machine) : Figure(
    $"latency-{result.Scenario.Name}", $"How long a round trip takes: {Words(result.Scenario.Name)}", machine, [result.Scenario])
{
    private const byte BandAlpha = 32;

    /// <summary>Whether there are distributions to be drawn.</summary>
    public static bool CanShow(ScenarioResult result) => result.Scenario.Contenders.Any(c => CurvesOf(result, c).Any());

    protected override string Legend => "Lines: the median repetition; bands: the middle half of the repetitions";

    protected override (AxisScale Across, AxisScale Up) Draw(Plot plot)
    {
        Contender[] contenders = [.. result.Scenario.Contenders.Where(c => CurvesOf(result, c).Any())];
        IReadOnlyDictionary<string, SeriesStyle> styles = SeriesStyle.Assign([.. contenders.Select(c => c.Name)]);
        var curves = contenders.Select(c => (c.Name, Points: Merge([.. CurvesOf(result, c)]))).ToArray();
        AxisScale up = AxisScale.OfRange(
            curves.Min(curve => curve.Points.Min(p => p.Ns.Min)),
            curves.Max(curve => curve.Points.Max(p => p.Ns.Max)),
            TickText.Time,
            alwaysLog: true);
        foreach ((string name, (double Nines, Spread Ns)[] points) in curves)
        {
            double[] across = [.. points.Select(p => p.Nines)];
            var band = plot.Add.FillY(across, [.. points.Select(p => up.At(p.Ns.Min))], [.. points.Select(p => up.At(p.Ns.Max))]);
            band.FillColor = styles[name].Color.WithAlpha(BandAlpha);
            band.LineWidth = 0;
        }

        foreach ((string name, (double Nines, Spread Ns)[] points) in curves)
        {
            double[] across = [.. points.Select(p => p.Nines)];
            double[] medians = [.. points.Select(p => up.At(p.Ns.Median))];
            Scatter line = plot.Add.ScatterLine(across, medians);
            line.LegendText = name;
            styles[name].ApplyTo(line, withMarkers: false);
        }

        double last = curves.Max(curve => curve.Points[^1].Nines);
        plot.XLabel("round trips that took no longer");
        plot.YLabel("time of one round trip");
        double[] nines = [0, Nines(50), .. Enumerable.Range(1, 8).Select(n => (double)n).Where(n => n <= last + 0.01)];
        return (AxisScale.OfValues(nines, Percentage), up);
    }

    private static IEnumerable<IReadOnlyList<LatencyPoint>> CurvesOf(ScenarioResult result, Contender contender) =>
        result.WhyNotMeasured(contender) is not null
            ? []
            : result.Observations(contender).Select(o => o.Measured.Latencies).OfType<IReadOnlyList<LatencyPoint>>()
                .Where(points => points.Count > 1);

    // Each repetition has a point at the same percentiles; a short one ends earlier, and counts as far as it goes. Where less than half of
    // them got, the curve ends.
    private static (double Nines, Spread Ns)[] Merge(IReadOnlyList<LatencyPoint>[] curves) =>
    [
        .. curves.SelectMany(points => points).Where(p => p.Percentile < 100)
            .GroupBy(p => Math.Round(Nines(p.Percentile), 3)).OrderBy(group => group.Key)
            .Where(group => 2 * group.Count() >= curves.Length)
            .Select(group => (group.Key, MiddleHalf([.. group.Select(p => Math.Max(1, p.Ns)).Order()]))),
    ];

    // The whole range would be that of the one repetition in which somebody else used the processor.
    private static Spread MiddleHalf(double[] sorted) => new(
        Spread.Of(sorted).Median, sorted[sorted.Length / 4], sorted[^(1 + (sorted.Length / 4))]);

    private static double Nines(double percentile) => -Math.Log10(1 - (percentile / 100));

    private static string Percentage(double nines) => nines switch
    {
        0 => "",
        < 1 => "50 %",
        _ => TickText.Exact(100 * (1 - Math.Pow(10, -nines))) + " %",
    };

    private static string Words(string name) => name.Replace('-', ' ').Replace("round trip", "", StringComparison.Ordinal).Trim();
}
