// A set of contenders that take turns, and the comparisons between them. Add a scenario by adding a class and naming it in All.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Scenarios;

internal abstract class Scenario(string name)
{
    /// <summary>What <c>--only</c> selects by.</summary>
    public string Name { get; } = name;

    /// <summary>Where the document shows it.</summary>
    public abstract Section Section { get; }

    /// <summary>In the order in which they run, in every repetition.</summary>
    public abstract IReadOnlyList<Contender> Contenders { get; }

    public abstract IEnumerable<Comparison> Comparisons { get; }

    /// <summary>True: single messages are timed, and the percentiles are worth a table.</summary>
    public virtual bool HasPercentiles => false;

    /// <summary>Measures this many times longer than others: for those with few operations a second and a tail to be seen.</summary>
    public virtual int MeasureFactor => 1;

    /// <summary>For those that are one point of many, or whose figures hardly vary: so many repetitions are enough.</summary>
    public virtual int MostRepetitions(Plan plan) => int.MaxValue;

    /// <summary>True: part of <c>--quick</c>, which has room for what decides about a target.</summary>
    public virtual bool IsQuick => false;

    /// <summary>Its place in a plot, or null.</summary>
    public virtual PlotPoint? Point => null;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new RoundTripSpinning(),
        new RoundTripParked(),
        .. new[] { 8, 24, 56, 64, 120, 248, 1016, 4096, 16384, 65536, 1 << 20 }.Select(size => new OneWay(size, Transport.Channel)),
        new OneWay(64, Transport.ChannelClaim),
        .. Transports64.Each,
        new MessagePackCpu(),
        new BlittableCpu(),
        new TypedOneWay(),
        new AsyncReading(Role.Receiver),
        new AsyncReading(Role.Ping),
        .. TopologyScenarios.All,
    ];
}
