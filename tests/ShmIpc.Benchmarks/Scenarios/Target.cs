// What a comparison has to reach, judged on the median of its ratios (or on the figure itself, median or worst, where there is no
// baseline).

using System.Globalization;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed record Target(string Text, Func<double, bool> IsMet, bool OfTimesBetter = false, bool OfWorst = false)
{
    /// <summary>ShmIpc's figure over the baseline's.</summary>
    public static Target AtMost(double ratio) => new($"<= {Number(ratio)} x", r => r <= ratio);

    /// <inheritdoc cref="AtMost"/>
    public static Target AtLeast(double ratio) => new($">= {Number(ratio)} x", r => r >= ratio);

    /// <summary>How many times better ShmIpc is: the baseline's time over ours, or our rate over the baseline's.</summary>
    public static Target TimesBetter(double times) => new($">= {Number(times)} x better", r => r >= times, OfTimesBetter: true);

    /// <summary>No baseline: the figure itself, the worst of all repetitions.</summary>
    public static readonly Target Nothing = new("0", value => value == 0, OfWorst: true);

    /// <summary>No baseline: the median of the figure itself.</summary>
    public static Target Below(double bound, string text) => new($"< {text}", value => value < bound);

    /// <summary>No baseline: the figure itself, the worst of all repetitions.</summary>
    public static Target WorstBelow(double bound, string text) => new($"worst < {text}", value => value < bound, OfWorst: true);

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
