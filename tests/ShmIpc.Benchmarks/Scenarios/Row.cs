// A comparison with its figures: what the tables print.

using System.Globalization;
using ShmIpc.Benchmarks.Contenders;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed record Row(
    string Measure, string Subject, string Baseline, string BaselineName, string Ratio, string Target, bool? IsMet, Spread? RatioSpread)
{
    private const string None = "-";

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
            bool inverted = comparison.Target is { OfTimesBetter: true } && !metric.HigherIsBetter;
            ratio = Spread.Of(subject.Zip(baseline, (s, b) => inverted ? b / s : s / b));
            met = comparison.Target?.IsMet(ratio.Median);
        }
        else if (subject.Length > 0 && comparison.Baseline is null)
        {
            met = comparison.Target?.IsMet(comparison.Target.OfWorst ? subject.Max() : Spread.Of(subject).Median);
        }

        return new Row(
            comparison.Measure,
            Describe(comparison.Subject, subject),
            comparison.Baseline is null ? None : Describe(comparison.Baseline, baseline),
            comparison.Baseline?.Name ?? None,
            ratio?.Format(FormatRatio) ?? None,
            comparison.Target?.Text ?? None,
            met,
            ratio);

        double[] Read(Contender contender) =>
            result.WhyNotMeasured(contender) is null ? [.. result.Observations(contender).Select(metric.Read)] : [];

        string Describe(Contender contender, double[] values) => values.Length > 0
            ? Spread.Of(values).Format(metric.Format)
            : $"not measured: {result.WhyNotMeasured(contender)}";
    }

    public string MetText => IsMet switch { true => "yes", false => "NO", null => None };

    private static string FormatRatio(double ratio) => ratio.ToString(ratio >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
