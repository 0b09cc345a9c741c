// The median of some repetitions, and how far they lie apart.

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed record Spread(double Median, double Min, double Max)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }

    /// <summary>The median, and the smallest and largest in brackets.</summary>
    public string Format(Func<double, string> format)
    {
        string min = format(Min), max = format(Max);
        return min == max ? min : $"{format(Median)} ({min} .. {max})";
    }
}
