// What stands in a lane's way, for the channel, which retires or evicts it. The argument is at the top of LaneWriter.cs.

using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal sealed unsafe partial class LaneWriter
{
    /// <summary>The groups that keep a payload of <paramref name="payloadBytes"/> from being written.</summary>
    public ulong BlockingGroups(long payloadBytes)
    {
        long end = EndOf(payloadBytes);
        return _gate.GroupsBelow(GatingGroups & _gate.Existing, end - _capacityBytes);
    }

    /// <summary>Where a group keeps a payload of <paramref name="payloadBytes"/> from being written, by its cursor or by what a member
    /// holds; -1 when it does not.</summary>
    public long BlockedAt(int group, long payloadBytes)
    {
        long end = EndOf(payloadBytes);
        long cursor = (long)Atomics.Acquire(ref _gate.Cursor(group));
        long held = _gate.LowestClaim(1UL << group, LowestIntact, cursor, _isRecordAt);
        return held < end - _capacityBytes ? held : -1;
    }

    /// <summary>True when a group that has joined cannot have left its cursor where it stands now. Below the floor, too, it stands at a
    /// record; only a joiner may not, whose cursor a refresh therefore waits for.</summary>
    public bool IsSuspect(int group)
    {
        long cursor = (long)Atomics.Acquire(ref _gate.Cursor(group));
        return IsSuspect(cursor) || !IsRecordAt(cursor);
    }
}
