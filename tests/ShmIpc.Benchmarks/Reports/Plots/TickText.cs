// Short labels for the values on an axis: 8 B, 1 KiB, 64 KiB; 10 ns, 1 us, 1 ms; 100 k/s, 10 M/s.

using System.Globalization;
using System.Text.RegularExpressions;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports.Plots;

internal static partial class TickText
{
    public static string Bytes(double bytes) => bytes switch
    {
        >= 1 << 20 => Number(bytes / (1 << 20)) + " MiB",
        >= 1 << 10 => Number(bytes / (1 << 10)) + " KiB",
        _ => Number(bytes) + " B",
    };

    public static string Time(double nanoseconds) => nanoseconds switch
    {
        >= 1e9 => Number(nanoseconds / 1e9) + " s",
        >= 1e6 => Number(nanoseconds / 1e6) + " ms",
        >= 1e3 => Number(nanoseconds / 1e3) + " us",
        _ => Number(nanoseconds) + " ns",
    };

    /// <summary>With as many digits as 99.9999 needs.</summary>
    public static string Exact(double value) => Math.Round(value, 8).ToString("0.########", CultureInfo.InvariantCulture);

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A value as the metric writes it, without the zeros behind the point.</summary>
    public static string Of(Metric metric, double value) =>
        IsTime(metric) ? Time(value) : value == 0 ? "0" : IdleZeros().Replace(metric.Format(value), "");

    public static bool IsTime(Metric metric) => metric.Format(1).EndsWith(" ns", StringComparison.Ordinal);

    [GeneratedRegex(@"(?<=\.\d*)0+(?= )|\.0*(?= )")]
    private static partial Regex IdleZeros();
}
