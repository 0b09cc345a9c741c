// Everything that was observed of one scenario. Repetition i of one contender ran next to repetition i of the others.

using ShmIpc.Benchmarks.Contenders;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class ScenarioResult(Scenario scenario)
{
    private readonly Dictionary<Contender, List<Observation>> _observations = [];
    private readonly Dictionary<Contender, string> _notMeasured = [];

    public Scenario Scenario { get; } = scenario;

    public void Add(Contender contender, Observation observation)
    {
        if (!_observations.TryGetValue(contender, out List<Observation>? list))
        {
            _observations.Add(contender, list = []);
        }

        list.Add(observation);
    }

    /// <summary>From now on this contender counts as not measured, whatever it showed before.</summary>
    public void GiveUp(Contender contender, string reason) => _notMeasured[contender] = reason;

    public string? WhyNotMeasured(Contender contender) =>
        _notMeasured.TryGetValue(contender, out string? reason) ? reason : _observations.ContainsKey(contender) ? null : "interrupted";

    public IReadOnlyList<Observation> Observations(Contender contender) => _observations.GetValueOrDefault(contender) ?? [];

    /// <summary>What a contender showed; null when it was not measured.</summary>
    public Spread? Spread(Contender contender, Metric metric) => WhyNotMeasured(contender) is not null
        ? null
        : Scenarios.Spread.Of(Observations(contender).Select(metric.Read));

    public IEnumerable<Row> Rows() => Scenario.Comparisons.Select(comparison => Row.Of(comparison, this));
}
