using System.Diagnostics;
using ShmIpc.Waiting;

namespace ShmIpc.Tests.Waiting;

/// <summary>How long rounds took in each of which somebody sleeps and is woken. Were the wake-up lost, a bounded park would end each of
/// them, so that every stretch of them would be long; a machine that is busy with something else makes only some of them so.</summary>
internal sealed class RoundTimes
{
    private const int StretchRounds = 50;
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(3);
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly List<TimeSpan> _ends = [TimeSpan.Zero];

    /// <summary>The quickest stretch, for each of its rounds.</summary>
    public TimeSpan Least { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Whether a stretch was quicker than lost wake-ups allow.</summary>
    /// <param name="shareOfPark">Of <see cref="WaitingRoom.MaxPark"/>: what a round may take.</param>
    public bool ShowWakeUps(double shareOfPark) => Least < shareOfPark * WaitingRoom.MaxPark;

    /// <summary>Whether another round is worth it: those that were planned are not done, or none of them was quick enough yet, which a
    /// machine that is busy with something else may make of all of them, though not for minutes.</summary>
    public bool IsWorthARound(int rounds, double shareOfPark) =>
        _ends.Count <= rounds || (!ShowWakeUps(shareOfPark) && _ends[^1] < _longest);

    public void EndRound()
    {
        _ends.Add(Stopwatch.GetElapsedTime(_start));
        if (_ends.Count > StretchRounds)
        {
            TimeSpan stretch = (_ends[^1] - _ends[^(StretchRounds + 1)]) / StretchRounds;
            Least = stretch < Least ? stretch : Least;
        }
    }

    public override string ToString() => $"{_ends.Count - 1} rounds in {_ends[^1]}, {Least} each in the quickest stretch";
}
