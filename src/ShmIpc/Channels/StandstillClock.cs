// Which groups one producer has found in its way at the same place, and for how long, by that producer's own clock.
//
// Only time that the producer was looking counts: between two looks at most half of the limit. So a group is never called standing at the
// first look or the second, and when the whole machine was stopped for a while (a suspended laptop, a frozen container) nobody is
// blamed for it.

namespace ShmIpc.Channels;

internal sealed class StandstillClock(TimeSpan limit, int groups, TimeProvider time)
{
    private readonly TimeSpan _limit = limit;
    private readonly TimeProvider _time = time;
    private readonly Sight[] _seen = new Sight[groups];

    /// <summary>Takes note of where a group stands. True when it has stood there for the limit.</summary>
    /// <param name="group">A group that is in the producer's way.</param>
    /// <param name="state">Its state word: another holder's group is another group.</param>
    /// <param name="cursor">The position in the producer's lane that it holds.</param>
    public bool IsOver(int group, ulong state, ulong cursor)
    {
        long now = _time.GetTimestamp();
        ref Sight seen = ref _seen[group];
        TimeSpan stood = TimeSpan.Zero;
        if (seen.State == state && seen.Cursor == cursor)
        {
            TimeSpan sinceLast = _time.GetElapsedTime(seen.LastLook, now);
            stood = seen.Stood + (sinceLast < _limit / 2 ? sinceLast : _limit / 2);
        }

        seen = new Sight(state, cursor, now, stood);
        return stood >= _limit;
    }

    private readonly record struct Sight(ulong State, ulong Cursor, long LastLook, TimeSpan Stood);
}
