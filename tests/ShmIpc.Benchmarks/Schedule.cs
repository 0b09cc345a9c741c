// Divides the time of a run among its scenarios. Each gets a part of what is left when it starts, by the number and length of its runs, so
// one that was slow costs all that follow a little. A scenario that starts late is cut to one repetition; only when the whole time is over
// is it not run at all, and then the tables say so.

using System.Diagnostics;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks;

internal sealed class Schedule(Plan plan, IReadOnlyList<Scenario> scenarios)
{
    private const int FewestRepetitions = 3;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _end;
    private TimeSpan _grace;
    private TimeSpan _repetitionBegan;
    private TimeSpan _longestRepetition;

    /// <summary>Nothing new is begun any more.</summary>
    public bool IsOver => _clock.Elapsed > plan.Budget;

    /// <summary>Call it in the order of the scenarios, for those that take turns from this one on.</summary>
    public void Begin(int index, int count)
    {
        TimeSpan left = TimeSpan.FromTicks(Math.Max(0, (plan.Budget - _clock.Elapsed).Ticks));
        double own = scenarios.Skip(index).Take(count).Sum(Weight);
        _end = _clock.Elapsed + (left * (own / scenarios.Skip(index).Sum(Weight)));
        _grace = plan.Budget * (count / (10.0 * scenarios.Count));
        _longestRepetition = TimeSpan.Zero;
    }

    /// <summary>Whether what has begun has time for a repetition: always for the first, for a few more as long as that costs
    /// the others little, and for the rest when they fit.</summary>
    public bool HasTimeFor(int repetition)
    {
        TimeSpan now = _clock.Elapsed;
        if (repetition > 0)
        {
            _longestRepetition = TimeSpan.FromTicks(Math.Max(_longestRepetition.Ticks, (now - _repetitionBegan).Ticks));
        }

        _repetitionBegan = now;
        TimeSpan grace = repetition < FewestRepetitions ? _grace : TimeSpan.Zero;
        return repetition == 0 || now + _longestRepetition <= _end + grace;
    }

    // What its repetitions should take: in each of them, each contender starts, warms up, and measures about twice as long as the plan says.
    private double Weight(Scenario scenario) =>
        Math.Min(plan.Repetitions, scenario.MostRepetitions(plan)) * scenario.Contenders.Count * (300 + plan.WarmUp.TotalMilliseconds + (2 * plan.Measure.TotalMilliseconds * scenario.MeasureFactor));
}
