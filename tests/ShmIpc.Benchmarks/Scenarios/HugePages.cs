// Normal pages against huge ones. The library has no way to ask for huge pages, so this is the same lane protocol in C: what it would gain
// by them with a lane of 64 MiB, which normal pages need 16,384 page table entries for.

using ShmIpc.Benchmarks.Contenders;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class HugePages : Scenario
{
    private const int LaneCapacityBytes = 64 << 20;
    private static readonly int[] _payloads = [64, 4096];

    private readonly (int Payload, NativePair Huge, NativePair Normal)[] _pairs =
    [
        .. _payloads.Select(payload => (
            payload,
            new NativePair($"C lane, huge pages, {payload} B", "lane", "oneway-huge", [LaneCapacityBytes, payload], OneWay.BackOffPauses)
            {
                Probe = "probe-huge",
            },
            new NativePair($"C lane, normal pages, {payload} B", "lane", "oneway", [LaneCapacityBytes, payload], OneWay.BackOffPauses))),
    ];

    public HugePages()
        : base("huge-pages")
    {
    }

    public override Section Section => Section.Scaling;

    public override IReadOnlyList<Contender> Contenders => [.. _pairs.SelectMany(pair => new[] { pair.Huge, pair.Normal })];

    public override IEnumerable<Comparison> Comparisons =>
        _pairs.Select(pair => new Comparison($"C lane of 64 MiB in huge pages, {pair.Payload} B", Metric.Rate, pair.Huge, pair.Normal));

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;
}
