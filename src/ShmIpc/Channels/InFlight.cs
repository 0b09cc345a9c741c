// The messages that a consumer has handed out and that nobody has acknowledged: at most eight, in no order.

using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed class InFlight(int max, string channelName)
{
    private readonly int _max = max;
    private readonly string _channelName = channelName;
    private readonly (int Lane, long Position)[] _held = new (int, long)[ClaimTable.MaxIntents];
    private int _count;

    /// <exception cref="InvalidOperationException">One more would be too many.</exception>
    public void ThrowIfFull()
    {
        if (_count >= _max)
        {
            throw Full(_count, _max, _channelName);
        }
    }

    /// <summary>What a consumer is told that asks for more before it has acknowledged.</summary>
    public static InvalidOperationException Full(int held, int max, string channelName) => new(
        $"{held} messages of this consumer of channel {channelName} are in flight, and MaxInFlight is {max}. Acknowledge one "
        + "first, or raise MaxInFlight.");

    public void Add(int lane, long position) => _held[_count++] = (lane, position);

    /// <summary>Forgets one message, or all of them (-1). What is not there was acknowledged before.</summary>
    public void Remove(int lane, long position)
    {
        if (lane < 0)
        {
            _count = 0;
            return;
        }

        int index = _held.AsSpan(0, _count).IndexOf((lane, position));
        if (index >= 0)
        {
            _held[index] = _held[--_count];
        }
    }

    /// <summary>The oldest position in a lane, or <see cref="long.MaxValue"/>.</summary>
    public long Lowest(int lane)
    {
        long lowest = long.MaxValue;
        foreach ((int heldLane, long position) in _held.AsSpan(0, _count))
        {
            lowest = heldLane == lane ? Math.Min(lowest, position) : lowest;
        }

        return lowest;
    }
}
