// Where a value stands on an axis, and which values get a label. Logarithmic axes are plotted as logarithms.

using ScottPlot;
using ScottPlot.TickGenerators;

namespace ShmIpc.Benchmarks.Reports.Plots;

internal sealed class AxisScale
{
    private const double Crowded = 0.06; // of the axis: less than that apart, one of two labels is left out

    private readonly bool _isLog;

    private AxisScale(bool isLog, double low, double high, double[] ticks, Func<double, string> label, double[] minor)
    {
        _isLog = isLog;
        (Low, High) = (At(low), At(high));
        NumericManual generator = new();
        double last = double.NegativeInfinity;
        foreach (double tick in ticks.Where(t => At(t) >= Low && At(t) <= High))
        {
            string text = At(tick) - last >= (High - Low) * Crowded ? label(tick) : "";
            generator.AddMajor(At(tick), text);
            last = text.Length > 0 ? At(tick) : last;
        }

        foreach (double tick in minor.Where(t => At(t) >= Low && At(t) <= High))
        {
            generator.AddMinor(At(tick));
        }

        Ticks = generator;
    }

    public double Low { get; }

    public double High { get; }

    public ITickGenerator Ticks { get; }

    public double At(double value) => _isLog ? Math.Log10(value) : value;

    /// <summary>For a few given values, each labelled: logarithmic where they span more than one decade.</summary>
    public static AxisScale OfValues(double[] values, Func<double, string> label)
    {
        double min = values.Min(), max = values.Max();
        bool isLog = min > 0 && max / min > 16;
        double margin = 0.04 * (isLog ? Math.Log10(max / min) : Math.Max(max - min, 1));
        return isLog
            ? new(true, min / Math.Pow(10, margin), max * Math.Pow(10, margin), values, label, [])
            : new(false, min - margin, max + margin, values, label, []);
    }

    /// <summary>For measured values: from 0, or in decades where they span more than one.</summary>
    public static AxisScale OfRange(double min, double max, Func<double, string> label, bool alwaysLog = false)
    {
        if (min > 0 && (alwaysLog || max / min > 12))
        {
            double low = min / 1.4, high = max * 1.4;
            double[] decades = [.. Enumerable.Range((int)Math.Floor(Math.Log10(low)), 20).Select(e => Math.Pow(10, e))];
            bool isShort = high / low < 3000; // then 2 and 5 of each decade get a label, too
            double[] major = isShort ? [.. decades.SelectMany(d => new[] { d, 2 * d, 5 * d })] : decades;
            return new(true, low, high, major, label, [.. decades.SelectMany(d => Enumerable.Range(2, 8).Select(i => i * d))]);
        }

        double step = NiceStep(Math.Max(max, double.Epsilon) / 5);
        return new(false, 0, max * 1.08, [.. Enumerable.Range(0, 12).Select(i => i * step)], label, []);
    }

    private static double NiceStep(double rough)
    {
        double decade = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return (rough / decade) switch { <= 1 => 1, <= 2 => 2, <= 2.5 => 2.5, <= 5 => 5, _ => 10 } * decade;
    }
}
