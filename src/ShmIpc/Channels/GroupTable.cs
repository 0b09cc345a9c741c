// Which groups there are, who holds them, and how they are made, joined and retired. A group is a set of cursors, one a lane; while its
// bit is set in the active word its cursors gate the producers (LaneGate.cs).
//
// A group's state word holds a phase and the stamp of whoever is responsible for it in that phase, so that a death in any phase is found
// by asking the kernel about that stamp, and continued by somebody else:
//
//   free --CAS--> joining(maker) --> active(member) --CAS--> retiring(whoever retires it) --> free
//
// Making stores the cursors at the floors, sets the active bit, raises the version with a full fence, re-reads the floors and moves up to
// them (the producers' side of this is I3 in Rings/LaneWriter.cs). Only then is the group active, and only then do its members count:
// whoever publishes because somebody is there loses nothing. Only one at a time makes a named group (RegionLocks.Groups).
//
// Membership. A member's slot holds the number of its group + 1 (its place), for as long as it lives.
//   exclusive   the stamp in active(stamp) is the active member; 0 or a dead one: a stand-by takes over by CAS
//   shared      active(0); the members are equal, and hold records by their intents (Rings/SharedLaneReader.cs, ClaimRecovery.cs)
//
// Joining by name against retiring: the newcomer stores its place, fences, and then looks at state and name; whoever retires CASes the
// state first and then looks for members' places, and puts the state back when it finds a living one. One of the two sees the other.
//
// Retiring clears the bit and raises the version before the entry becomes free: otherwise the next holder's bit could be cleared. A free
// entry is taken only when no living participant's place names it: a member that was evicted, and does not know yet, writes no other
// group's cursors. An ephemeral group is retired by the last member that leaves, or by whoever it is in the way of, once no member lives
// (a newcomer, too, if what dead members held keeps participants' slots taken); a durable one only when it is deleted, or its cursors make
// no sense.

using System.Diagnostics;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed partial class GroupTable(ChannelRegion channel, MappedSpan entries, int count)
{
    private static readonly TimeSpan _busyPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _longestJoin = TimeSpan.FromSeconds(5);

    private readonly ChannelRegion _channel = channel;
    private readonly MappedSpan _entries = entries;
    private readonly int _count = count;
    private readonly Lock _making = new();

    public int Count => _count;

    /// <summary>Joins the group that the options name, or makes it; without a name, makes one for the consumer alone.</summary>
    /// <exception cref="ShmLimitException">Every group belongs to somebody living, or is durable.</exception>
    /// <exception cref="ShmGroupException">The group exists and is of another kind.</exception>
    public GroupSeat Join(Stamp stamp, ConsumerOptions options)
    {
        if (options.Group is null)
        {
            return Make(stamp, options);
        }

        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (TryJoin(stamp, options) is { } joined)
            {
                return joined;
            }

            if (TryMake(stamp, options) is { } made)
            {
                return made;
            }

            if (Stopwatch.GetElapsedTime(start) > _longestJoin)
            {
                throw new TimeoutException(
                    $"The group {options.Group} of channel {_channel.Name} has been in the making, or being retired, for "
                    + $"{_longestJoin.TotalSeconds} seconds. Is a process stopped there?");
            }

            Thread.Sleep(_busyPause);
        }
    }

    /// <summary>Ends a consumer's membership, and an ephemeral group that has no other.</summary>
    public void Leave(GroupSeat seat, Stamp stamp)
    {
        GroupEntry entry = Entry(seat.Group);
        if (_channel.Participants.Holder(stamp.Slot) == stamp && !LeavesClaims(seat.Group, stamp))
        {
            Atomics.Release(ref _channel.Claims.Place(stamp.Slot), 0);
        }

        if (!seat.IsNamed)
        {
            TryRetire(seat.Group, GroupEntry.Pack(GroupEntry.Active, stamp), stamp, RetireReason.Left);
            return;
        }

        Atomics.CompareExchange(
            ref entry.State, GroupEntry.Pack(GroupEntry.Active, stamp), GroupEntry.Pack(GroupEntry.Active, Stamp.None));
        RetireIfLifeless(seat.Group, stamp);
        foreach (Stamp member in Members(seat.Group))
        {
            _channel.Readers.Ring(member.Slot); // a stand-by continues
        }
    }

    /// <summary>True while the consumer is the one that reads an exclusive group.</summary>
    public bool IsHeldBy(int group, Stamp stamp) =>
        Atomics.Acquire(ref Entry(group).State) == GroupEntry.Pack(GroupEntry.Active, stamp);

    /// <summary>True when the group of a living member was retired all the same: by force.</summary>
    public bool IsGone(int group) => Atomics.Acquire(ref Entry(group).State) == GroupEntry.Free;

    /// <summary>For a member: whoever began to retire the group and died leaves it to others to go on, or to put it back.</summary>
    public void ContinueRetiring(int group, Stamp self)
    {
        if (GroupEntry.Phase(Atomics.Acquire(ref Entry(group).State)) == GroupEntry.Retiring)
        {
            RetireIfLifeless(group, self);
        }
    }

    /// <summary>True while the group is whole: made, and not being retired. With a living member it stays so unless it is
    /// evicted.</summary>
    public bool IsActive(int group) => GroupEntry.Phase(Atomics.Acquire(ref Entry(group).State)) == GroupEntry.Active;

    /// <summary>What a member is told whose group was retired while it lived.</summary>
    public ShmEvictedException Evicted() => new(
        $"This consumer of channel {_channel.Name} was evicted: "
        + (_channel.Settings.EvictAfter is { } time
            ? $"its group left a producer without room for {time.TotalMilliseconds} ms, the channel's EvictAfter, without finishing a "
                + "message; or its cursor was overwritten by somebody. Messages that it had not read may be gone. Dispose it and create "
                + "another; if it needs that long for a message, create the channel with a longer EvictAfter."
            : "its cursor was overwritten by somebody. Dispose it and create another."));

    /// <summary>Makes the consumer the active member of its exclusive group, if nobody living is.</summary>
    /// <param name="group">The group.</param>
    /// <param name="stamp">The consumer.</param>
    /// <param name="asksKernel">False: only if the last one left of its own accord.</param>
    public bool TryTakeOver(int group, Stamp stamp, bool asksKernel)
    {
        ulong state = Atomics.Acquire(ref Entry(group).State);
        return GroupEntry.Phase(state) == GroupEntry.Active && (asksKernel || GroupEntry.Holder(state) == Stamp.None)
            && !_channel.Participants.IsAlive(GroupEntry.Holder(state))
            && Atomics.CompareExchange(ref Entry(group).State, state, GroupEntry.Pack(GroupEntry.Active, stamp));
    }

    /// <summary>The shared groups, whose members' intents may be in the way of a producer.</summary>
    public ulong SharedGroups()
    {
        ulong shared = 0;
        for (int group = 0; group < _count; group++)
        {
            if (GroupEntry.Phase(Atomics.Acquire(ref Entry(group).State)) == GroupEntry.Active && Entry(group).Kind == GroupKind.Shared)
            {
                shared |= 1UL << group;
            }
        }

        return shared;
    }

    /// <summary>Living members of all groups that hold the producers back. A maker's place alone says nothing: its group does so only once
    /// it is active.</summary>
    public int CountLiving()
    {
        int living = 0;
        for (int slot = 0; slot < _channel.Participants.Slots; slot++)
        {
            Stamp member = _channel.Participants.Holder(slot);
            int group = _channel.Claims.Group(slot);
            bool isMember = group >= 0 && group < _count && IsActive(group); // behind the place: its group's state, or a later one
            living += isMember && _channel.Participants.IsAlive(member) ? 1 : 0;
        }

        return living;
    }

    /// <summary>Living members of one group.</summary>
    public IEnumerable<Stamp> Members(int group)
    {
        for (int slot = 0; TryFindMember(group, ref slot, out Stamp member); slot++)
        {
            yield return member;
        }
    }

    /// <summary>True when a living participant is a member. Allocates nothing: a producer that waits asks again and again.</summary>
    private bool HasMember(int group)
    {
        int slot = 0;
        return TryFindMember(group, ref slot, out _);
    }

    private bool TryFindMember(int group, ref int slot, out Stamp member)
    {
        for (; slot < _channel.Participants.Slots; slot++)
        {
            member = _channel.Participants.Holder(slot);
            if (_channel.Claims.Group(slot) == group && _channel.Participants.IsAlive(member))
            {
                return true;
            }
        }

        member = Stamp.None;
        return false;
    }

    public GroupEntry Entry(int group) => new(_entries.Slice((long)group * ChannelLayout.GroupBytes, ChannelLayout.GroupBytes));

    /// <summary>True when a member leaves messages that it did not acknowledge to others: they find them by its slot's place.</summary>
    private bool LeavesClaims(int group, Stamp stamp)
    {
        if (!_channel.Claims.HasIntents(stamp.Slot) || (!Entry(group).IsDurable && Members(group).All(member => member == stamp)))
        {
            ForgetClaims(stamp.Slot);
            return false;
        }

        return true;
    }

    private GroupSeat? TryJoin(Stamp stamp, ConsumerOptions options)
    {
        for (int group = 0; group < _count; group++)
        {
            GroupEntry entry = Entry(group);
            ulong state = Atomics.Acquire(ref entry.State);
            if (state == GroupEntry.Free || !entry.Is(options.Group!))
            {
                continue;
            }

            if (GroupEntry.Phase(state) != GroupEntry.Active)
            {
                RetireIfLifeless(group, stamp); // its maker, or whoever retires it, may be dead
                return null;
            }

            ref ulong place = ref _channel.Claims.Place(stamp.Slot);
            Atomics.Release(ref place, (ulong)group + 1);
            Atomics.FullFence(); // SYNC: newcomer's place visible to retirer, or retirer's state visible here
            if (GroupEntry.Phase(Atomics.Acquire(ref entry.State)) != GroupEntry.Active || !entry.Is(options.Group!))
            {
                Atomics.Release(ref place, 0);
                return null;
            }

            if (entry.Kind != options.Kind || entry.IsDurable != options.Durable)
            {
                Atomics.Release(ref place, 0);
                throw new ShmGroupException(
                    $"The group {options.Group} of channel {_channel.Name} is {Describe(entry.Kind, entry.IsDurable)}, and "
                    + $"{Describe(options.Kind, options.Durable)} was asked for. Ask for the same, or use another name.");
            }

            Announce(entry.Kind, stamp);
            return new GroupSeat(group, entry.Kind, options.Group, null);
        }

        return null;
    }

    private GroupSeat? TryMake(Stamp stamp, ConsumerOptions options)
    {
        lock (_making)
        {
            if (!_channel.TryLock(RegionLocks.Groups))
            {
                return null;
            }

            try
            {
                for (int group = 0; group < _count; group++)
                {
                    if (Atomics.Acquire(ref Entry(group).State) != GroupEntry.Free && Entry(group).Is(options.Group!))
                    {
                        return null; // somebody made it meanwhile
                    }
                }

                return Make(stamp, options);
            }
            finally
            {
                _channel.Unlock(RegionLocks.Groups);
            }
        }
    }

    private GroupSeat Make(Stamp stamp, ConsumerOptions options)
    {
        int group = Reserve(stamp);
        GroupEntry entry = Entry(group);
        entry.Describe(options.Group, options.Kind, options.Durable);
        Atomics.Release(ref _channel.Claims.Place(stamp.Slot), (ulong)group + 1);
        var starts = new (long Position, long Sequence)[_channel.Geometry.MaxProducers];
        for (int lane = 0; lane < starts.Length; lane++)
        {
            starts[lane] = _channel.Lane(lane).Floor.Read();
            Atomics.Clear(_channel.CursorEntry(lane, group).Bytes(sizeof(ulong), LaneGate.CursorStrideBytes - sizeof(ulong)));
            Atomics.Release(ref _channel.Gate(lane).Cursor(group), (ulong)starts[lane].Position);
        }

        Atomics.Or(ref _channel.ActiveGroups, 1UL << group);
        _channel.RaiseVersion(); // SYNC: floor visible to joiner, or joiner's version visible to producer
        for (int lane = 0; lane < starts.Length; lane++)
        {
            (long Position, long Sequence) floor = _channel.Lane(lane).Floor.Read();
            if (floor.Position > starts[lane].Position)
            {
                starts[lane] = floor;
            }

            if (options.Start == StartPosition.Latest)
            {
                starts[lane] = _channel.LaneEnd(lane, starts[lane]);
            }

            Atomics.Release(ref _channel.Gate(lane).Cursor(group), (ulong)starts[lane].Position);
        }

        entry.SetComplete();
        Stamp active = options.Kind == GroupKind.Exclusive ? stamp : Stamp.None;
        Atomics.Release(ref entry.State, GroupEntry.Pack(GroupEntry.Active, active));
        Announce(options.Kind, stamp);
        if (options.Durable)
        {
            try
            {
                _channel.FlushGroups();
            }
            catch
            {
                TryRetire(group, GroupEntry.Pack(GroupEntry.Active, active), stamp, RetireReason.Left);
                throw;
            }
        }

        return new GroupSeat(group, options.Kind, options.Group, starts);
    }

    private int Reserve(Stamp stamp)
    {
        for (int group = 0; group < _count; group++)
        {
            if (Atomics.Acquire(ref Entry(group).State) != GroupEntry.Free && !RetireIfLifeless(group, stamp))
            {
                continue;
            }

            if (!HasMember(group)
                && Atomics.CompareExchange(ref Entry(group).State, GroupEntry.Free, GroupEntry.Pack(GroupEntry.Joining, stamp)))
            {
                ForgetDeadClaims(group);
                return group;
            }
        }

        throw new ShmLimitException(
            $"All {_count} groups of the channel {_channel.Name} belong to living consumers, or are durable. Dispose a consumer, delete a "
            + "durable group that nobody needs, or create the channel with a larger MaxGroups.");
    }

    /// <summary>From here on producers look at the intents of a shared group's new member.</summary>
    private void Announce(GroupKind kind, Stamp stamp)
    {
        if (kind == GroupKind.Shared)
        {
            _channel.Claims.Announce(stamp.Slot);
            _channel.RaiseVersion();
        }
    }

    private static string Describe(GroupKind kind, bool isDurable) =>
        $"{(isDurable ? "durable" : "ephemeral")} and {(kind == GroupKind.Shared ? "shared" : "exclusive")}";
}
