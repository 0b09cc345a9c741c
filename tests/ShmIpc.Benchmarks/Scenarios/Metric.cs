// A figure read out of an observation, and how it is written.

using System.Globalization;
using ShmIpc.Benchmarks.Contenders;

namespace ShmIpc.Benchmarks.Scenarios;

/// <param name="Name">What the figure is: "typical", "p99.9", ...</param>
/// <param name="HigherIsBetter">True for rates, false for times.</param>
/// <param name="Read">Takes it out of an observation, in nanoseconds, operations a second, or bytes an operation.</param>
/// <param name="Format">Writes it with its unit.</param>
internal sealed partial record Metric(string Name, bool HigherIsBetter, Func<Observation, double> Read, Func<double, string> Format)
{
    public static readonly Metric Typical = new("typical", false, o => o.Measured.TypicalNs, Time);

    public static readonly Metric P50 = new("p50", false, o => o.Measured.P50Ns, Time);

    public static readonly Metric P90 = new("p90", false, o => o.Measured.P90Ns, Time);

    public static readonly Metric P99 = new("p99", false, o => o.Measured.P99Ns, Time);

    public static readonly Metric P999 = new("p99.9", false, o => o.Measured.P999Ns, Time);

    public static readonly Metric Max = new("max", false, o => o.Measured.MaxNs, Time);

    public static readonly Metric CpuTime = new("CPU time", false, o => o.Measured.CpuNs, Time);

    public static readonly Metric Rate = new("messages a second", true, o => o.OperationsPerSecond, PerSecond);

    public static readonly Metric Undisturbed = new("undisturbed rate", true, o => o.Measured.UndisturbedPerSecond, PerSecond);

    public static readonly Metric Allocation = new("allocation", false, o => o.AllocatedBytesPerOperation, Bytes);

    private static string Time(double nanoseconds) => nanoseconds switch
    {
        >= 1e6 => Digits(nanoseconds / 1e6) + " ms",
        >= 1e4 => Digits(nanoseconds / 1e3) + " us",
        _ => Digits(nanoseconds) + " ns",
    };

    private static string PerSecond(double rate) => rate >= 1e6 ? Digits(rate / 1e6) + " M/s" : Digits(rate / 1e3) + " k/s";

    private static string Bytes(double bytes) => bytes.ToString("0.####", CultureInfo.InvariantCulture) + " B/message";

    private static string Percent(double percent) => percent.ToString("0.000", CultureInfo.InvariantCulture) + " %";

    private static string TimesPerSecond(double times) => times.ToString("0.0", CultureInfo.InvariantCulture) + " /s";

    private static string Size(double bytes) => bytes switch
    {
        >= 1 << 20 => Digits(bytes / (1 << 20)) + " MiB",
        >= 1 << 10 => Digits(bytes / (1 << 10)) + " KiB",
        _ => bytes.ToString("0", CultureInfo.InvariantCulture) + " B",
    };

    private static string Digits(double value) =>
        value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
