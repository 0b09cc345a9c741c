// Which groups there are, who holds them, and how they join and leave. A group is a set of cursors, one a lane; while its bit is set
// in the active word its cursors gate the producers (LaneGate.cs).
//
// A group's state word holds a state and the stamp of whoever is responsible for it in that state, so that a death in any state is
// found by asking the kernel about that stamp, and continued by somebody else:
//
//   free --CAS--> joining(consumer) --> active(consumer) --CAS--> retiring(whoever retires it) --> free
//
// Joining stores the cursors at the floors, sets the active bit, raises the version with a full fence, re-reads the floors and moves
// up to them (the producers' side of this is I3 in Rings/LaneWriter.cs).
// Retiring clears the bit and raises the version before the entry becomes free: otherwise the next holder's bit could be cleared.

using System.Numerics;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed class GroupTable(ChannelRegion channel, MappedSpan entries, int count)
{
    private const ulong Joining = 1;
    private const ulong Active = 2;
    private const ulong Retiring = 3;

    private readonly ChannelRegion _channel = channel;
    private readonly MappedSpan _entries = entries;
    private readonly int _count = count;

    /// <summary>Makes an ephemeral group for a consumer, at the oldest message of every lane.</summary>
    /// <param name="stamp">The consumer.</param>
    /// <param name="starts">Receives, for each lane, where the group starts.</param>
    /// <returns>The group's number.</returns>
    /// <exception cref="ShmLimitException">Every group belongs to somebody living.</exception>
    public int Join(Stamp stamp, Span<(long Position, long Sequence)> starts)
    {
        int group = Reserve(stamp);
        _entries.UInt32(Offset(group) + ChannelLayout.GroupKindOffset) = ChannelLayout.GroupKindExclusive;
        _entries.Bytes(Offset(group) + ChannelLayout.GroupNameOffset, 128).Clear();
        for (int lane = 0; lane < starts.Length; lane++)
        {
            starts[lane] = _channel.Lane(lane).Floor.Read();
            Atomics.Release(ref _channel.Gate(lane).Cursor(group), (ulong)starts[lane].Position);
        }

        Atomics.Or(ref _channel.ActiveGroups, 1UL << group);
        RaiseVersion(); // SYNC: floor visible to joiner, or joiner's version visible to producer
        for (int lane = 0; lane < starts.Length; lane++)
        {
            (long Position, long Sequence) floor = _channel.Lane(lane).Floor.Read();
            if (floor.Position > starts[lane].Position)
            {
                starts[lane] = floor;
                Atomics.Release(ref _channel.Gate(lane).Cursor(group), (ulong)floor.Position);
            }
        }

        Atomics.Release(ref State(group), Pack(Active, stamp));
        return group;
    }

    /// <summary>Ends a consumer's own group.</summary>
    public void Leave(int group, Stamp stamp) => TryRetire(group, Pack(Active, stamp), stamp);

    /// <summary>True as long as the consumer still holds its group: a consumer that wrote nonsense into a cursor is evicted.</summary>
    public bool IsHeldBy(int group, Stamp stamp) => Atomics.Acquire(ref State(group)) == Pack(Active, stamp);

    /// <summary>Groups whose holder is alive and has finished joining.</summary>
    public int CountLiving()
    {
        int living = 0;
        for (int group = 0; group < _count; group++)
        {
            ulong state = Atomics.Acquire(ref State(group));
            if ((state & 3) == Active && _channel.Participants.IsAlive(Holder(state)))
            {
                living++;
            }
        }

        return living;
    }

    /// <summary>Retires groups that hold a lane back without right: their holder is dead, or their cursor makes no sense.</summary>
    /// <param name="blocking">Groups that are in the way.</param>
    /// <param name="lane">The lane; it names further groups as suspect.</param>
    /// <param name="self">Who asks.</param>
    /// <returns>True when at least one was retired.</returns>
    public bool RetireUnfit(ulong blocking, LaneWriter lane, Stamp self)
    {
        bool isAnyRetired = false;
        for (ulong rest = blocking | lane.SuspectGroups; rest != 0; rest &= rest - 1)
        {
            int group = BitOperations.TrailingZeroCount(rest);
            if (group >= _count)
            {
                Atomics.And(ref _channel.ActiveGroups, ~(1UL << group)); // a bit that no group of this channel has
                isAnyRetired = true;
                continue;
            }

            // The cursor is looked at again after the state: the holder of *this* state has it there, not one before, and it has
            // finished joining. A state word never returns to an earlier value other than 0, so the CAS in TryRetire covers both.
            ulong state = Atomics.Acquire(ref State(group));
            bool isBroken = (state & 3) == Active && lane.IsSuspect(group);
            if (isBroken || !_channel.Participants.IsAlive(Holder(state)))
            {
                isAnyRetired |= TryRetire(group, state, self);
            }
        }

        return isAnyRetired;
    }

    private static ulong Pack(ulong state, Stamp stamp) => state | (stamp.Value << 2);

    private static Stamp Holder(ulong state) => new(state >> 2);

    private int Reserve(Stamp stamp)
    {
        for (int group = 0; group < _count; group++)
        {
            ulong state = Atomics.Acquire(ref State(group));
            if (state != 0 && (_channel.Participants.IsAlive(Holder(state)) || !TryRetire(group, state, stamp)))
            {
                continue;
            }

            if (Atomics.CompareExchange(ref State(group), 0, Pack(Joining, stamp)))
            {
                return group;
            }
        }

        throw new ShmLimitException(
            $"All {_count} groups of the channel {_channel.Name} belong to living consumers. Dispose a consumer, or create the "
            + "channel with a larger MaxGroups.");
    }

    private bool TryRetire(int group, ulong expectedState, Stamp self)
    {
        if (!Atomics.CompareExchange(ref State(group), expectedState, Pack(Retiring, self)))
        {
            return false;
        }

        Atomics.And(ref _channel.ActiveGroups, ~(1UL << group));
        RaiseVersion();
        Atomics.Release(ref State(group), 0);
        _channel.TryWakeWriters();
        return true;
    }

    private void RaiseVersion()
    {
        Atomics.Increment(ref _channel.Version);
        Atomics.FullFence();
    }

    private ref ulong State(int group) => ref _entries.UInt64(Offset(group) + ChannelLayout.GroupStateOffset);

    private static long Offset(int group) => (long)group * ChannelLayout.GroupBytes;
}
