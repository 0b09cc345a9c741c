// Looks at all groups of a channel from outside, for people and monitoring. It joins nothing and holds nobody back, so what it counts may
// be overwritten meanwhile; then it counts again.

using System.Numerics;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal static class GroupListing
{
    private const int MaxAttempts = 8;

    public static IReadOnlyList<ShmGroup> List(ChannelRegion channel)
    {
        channel.ThrowIfDeleted();
        using LaneMap lanes = new(channel);
        lanes.MapNew();
        List<ShmGroup> groups = [];
        for (int group = 0; group < channel.Groups.Count; group++)
        {
            GroupEntry entry = channel.Groups.Entry(group);
            ulong state = Atomics.Acquire(ref entry.State);
            for (int attempt = 0; attempt < MaxAttempts && GroupEntry.Phase(state) == GroupEntry.Active; attempt++)
            {
                ShmGroup? seen = Look(channel, lanes, group, GroupEntry.Holder(state));
                ulong looked = state;
                state = Atomics.Acquire(ref entry.State);
                if (state == looked) // else its members may be those of another group, which is in the making at its place
                {
                    groups.AddRange(seen is null ? [] : [seen]);
                    break;
                }
            }
        }

        return groups;
    }

    /// <summary>Null: its kind is none.</summary>
    private static ShmGroup? Look(ChannelRegion channel, LaneMap lanes, int group, Stamp active)
    {
        GroupEntry entry = channel.Groups.Entry(group);
        GroupKind kind = entry.Kind;
        bool isShared = kind == GroupKind.Shared;
        return !Enum.IsDefined(kind) ? null : new ShmGroup(
            entry.Name,
            kind,
            entry.IsDurable,
            [.. channel.Groups.Members(group).Select(member =>
                new ShmGroupMember(channel.Participants.ProcessId(member), isShared || member == active))],
            [.. Lags(channel, lanes, group)],
            isShared ? CountInFlight(channel, group) : 0);
    }

    private static IEnumerable<ShmGroupLag> Lags(ChannelRegion channel, LaneMap lanes, int group)
    {
        for (ulong rest = lanes.Mapped; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            yield return new ShmGroupLag(lane, Lag(channel, lanes[lane].Whole, lane, group));
        }
    }

    private static long Lag(ChannelRegion channel, MappedSpan data, int lane, int group)
    {
        LaneControl control = channel.Lane(lane);
        LaneScan scan = new(data, control);
        long lag = 0;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            (long Position, long Sequence) floor = control.Floor.Read();
            long cursor = (long)Atomics.Acquire(ref channel.Gate(lane).Cursor(group)) & ~(RecordHeader.AlignmentBytes - 1L);
            (long Position, long Sequence) start = cursor > floor.Position ? (cursor, scan.SequenceAt(cursor)) : floor;
            lag = scan.End(start.Position, start.Sequence).Sequence - start.Sequence;
            if (control.Floor.Read().Position <= start.Position)
            {
                break; // nothing that was looked at has been overwritten
            }
        }

        return lag;
    }

    private static int CountInFlight(ChannelRegion channel, int group)
    {
        int inFlight = 0;
        foreach (int slot in channel.Claims)
        {
            for (int number = 0; number < ClaimTable.MaxIntents && channel.Claims.Group(slot) == group; number++)
            {
                inFlight += Atomics.Acquire(ref channel.Claims.Intent(slot, number)) != 0 ? 1 : 0;
            }
        }

        return inFlight;
    }
}
