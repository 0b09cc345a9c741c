// A comparison with its figures: what the tables print.

using System.Globalization;
using ShmIpc.Benchmarks.Contenders;

namespace ShmIpc.Benchmarks.Scenarios;

/// <param name="Measure">What is measured, in words.</param>
/// <param name="Target">What the ratio (or the figure) has to reach; null where the row is there to explain another.</param>
/// <param name="Subject">Our figure with its spread, or why there is none.</param>
/// <param name="Baseline">The median of what it is held against, or why there is none; null where nothing is.</param>
/// <param name="BaselineName">Whose figure that is.</param>
/// <param name="RatioSpread">Null without a baseline, or when one of the two was not measured.</param>
/// <param name="IsMet">Null without a target, or when it was not measured.</param>
/// <param name="Runs">How many runs our figure is the median of.</param>
internal sealed record Row(
    string Measure, string? Target, string Subject, string? Baseline, string? BaselineName, Spread? RatioSpread, bool? IsMet,
    int Runs)
{
    private const string None = "-";

    /// <summary>Ours, and the baseline's figure in short.</summary>
    public string Got => (BaselineName is null ? Subject : $"{Subject}; {BaselineName}: {Baseline}") + (Runs > 0 ? $"; n = {Runs}" : "");

    public string Ratio => RatioSpread?.Format(FormatRatio) ?? None;

    public string Met => IsMet switch { true => "yes", false => "NO", null => None };

    /// <summary>The table's line, in the order of its columns.</summary>
    public string[] Cells => [Measure, Target ?? None, Got, Ratio, Met];

    public static Row Of(Comparison comparison, ScenarioResult result)
    {
        Metric metric = comparison.Metric;
        double[] subject = Read(comparison.Subject);
        double[] baseline = comparison.Baseline is null ? [] : Read(comparison.Baseline);
        Spread? ratio = null;
        bool? met = null;
        if (subject.Length > 0 && baseline.Length > 0)
        {
            // Pairs of neighbours: whatever slowed the machine down for a while slowed both.
            bool inverted = (comparison.IsTimesBetter || comparison.Target is { OfTimesBetter: true }) && !metric.HigherIsBetter;
            ratio = Spread.Of(subject.Zip(baseline, (s, b) => inverted ? b / s : s / b));
            met = comparison.Target?.IsMet(ratio.Median);
        }
        else if (subject.Length > 0 && comparison.Baseline is null)
        {
            met = comparison.Target?.IsMet(comparison.Target.OfWorst ? subject.Max() : Spread.Of(subject).Median);
        }

        return new Row(
            comparison.Measure,
            comparison.Target?.Text,
            Describe(comparison.Subject, subject, spread => spread.Format(metric.Format)),
            comparison.Baseline is null ? null : Describe(comparison.Baseline, baseline, spread => metric.Format(spread.Median)),
            comparison.Baseline?.Name,
            ratio,
            met,
            subject.Length);

        double[] Read(Contender contender) =>
            result.WhyNotMeasured(contender) is null ? [.. result.Observations(contender).Select(metric.Read)] : [];

        string Describe(Contender contender, double[] values, Func<Spread, string> format) => values.Length > 0
            ? format(Spread.Of(values))
            : $"not measured: {result.WhyNotMeasured(contender)}";
    }

    private static string FormatRatio(double ratio) =>
        ratio.ToString(ratio >= 10 ? "0.0" : ratio >= 0.01 || ratio == 0 ? "0.00" : "0.0####", CultureInfo.InvariantCulture);
}
