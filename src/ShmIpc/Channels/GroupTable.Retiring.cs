// How groups end: retired when nobody of theirs lives and they are not durable, deleted, or evicted when their cursors make no sense, or
// do not move for the channel's EvictAfter.

using System.Numerics;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed partial class GroupTable
{
    private const int MaxDeleteAttempts = 1_000;

    /// <summary>Retires groups that hold a lane back without right: nobody of theirs lives, or their cursor makes no sense.</summary>
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

            // The cursor is looked at again after the state: the group of *this* state has it there, not one before, and it has
            // finished joining.
            ulong state = Atomics.Acquire(ref Entry(group).State);
            bool isBroken = GroupEntry.Phase(state) == GroupEntry.Active && lane.IsSuspect(group);
            isAnyRetired |= isBroken ? TryRetire(group, state, self, RetireReason.Broken, lane) : RetireIfLifeless(group, self);
        }

        return isAnyRetired;
    }

    /// <summary>Retires groups that live, are not durable, and have stood in a producer's way at one place for the channel's
    /// EvictAfter.</summary>
    /// <param name="candidates">Groups that may be in the way.</param>
    /// <param name="lane">The producer's lane.</param>
    /// <param name="payloadBytes">What it cannot write.</param>
    /// <param name="standstill">What it has seen of the groups before.</param>
    /// <param name="self">Who asks.</param>
    /// <returns>True when at least one was retired.</returns>
    public bool EvictStanding(ulong candidates, LaneWriter lane, long payloadBytes, StandstillClock standstill, Stamp self)
    {
        bool isAnyRetired = false;
        for (ulong rest = candidates; rest != 0; rest &= rest - 1)
        {
            int group = BitOperations.TrailingZeroCount(rest);
            GroupEntry entry = Entry(group);
            ulong state = Atomics.Acquire(ref entry.State);
            long blockedAt = lane.BlockedAt(group, payloadBytes);
            if (blockedAt >= 0 && GroupEntry.Phase(state) == GroupEntry.Active && !entry.IsDurable
                && standstill.IsOver(group, state, (ulong)blockedAt))
            {
                isAnyRetired |= TryRetire(group, state, self, RetireReason.StandsStill);
            }
        }

        return isAnyRetired;
    }

    /// <summary>Retires groups of which nobody lives, when dead members' claims keep slots taken: they may be in nobody's way otherwise. So
    /// does an entry that is free already, for members that died after they had been evicted.</summary>
    public void RetireForsaken(Stamp self)
    {
        foreach (int slot in _channel.Claims)
        {
            int group = _channel.Claims.Group(slot);
            if (group >= 0 && group < _count && _channel.Claims.HasIntents(slot)
                && !_channel.Participants.IsAlive(_channel.Participants.Holder(slot)))
            {
                RetireIfLifeless(group, self);
            }
        }
    }

    /// <summary>Deletes a named group, durable or not. False when there is none.</summary>
    /// <exception cref="ShmGroupException">It has living members.</exception>
    public bool Delete(string name, Stamp self)
    {
        for (int attempt = 0; attempt < MaxDeleteAttempts; attempt++)
        {
            if (TryDelete(name, self) is { } isDeleted)
            {
                return isDeleted;
            }
        }

        throw new ShmCorruptionException(
            $"The group {name} of channel {_channel.Name} changed at every one of {MaxDeleteAttempts} attempts to delete it; a peer is "
            + "overwriting it.");
    }

    /// <summary>Null: it changed meanwhile, so look again.</summary>
    private bool? TryDelete(string name, Stamp self)
    {
        for (int group = 0; group < _count; group++)
        {
            ulong state = Atomics.Acquire(ref Entry(group).State);
            if (state == GroupEntry.Free || !Entry(group).Is(name))
            {
                continue;
            }

            if (GroupEntry.Phase(state) != GroupEntry.Active)
            {
                if (_channel.Participants.IsAlive(GroupEntry.Holder(state)))
                {
                    continue; // in the making, or somebody is deleting it
                }

                RetireIfLifeless(group, self); // who was at it died: this ends it, or puts it back
                return null;
            }

            Stamp[] members = [.. Members(group)];
            if (members.Length > 0)
            {
                throw new ShmGroupException(
                    $"The group {name} of channel {_channel.Name} has living members (processes "
                    + $"{string.Join(", ", members.Select(_channel.Participants.ProcessId))}). Dispose those consumers first.");
            }

            return TryRetire(group, state, self, RetireReason.Deleted, name: name) ? true : null;
        }

        return false;
    }

    /// <summary>Retires a group of which nobody lives, unless it is durable.</summary>
    private bool RetireIfLifeless(int group, Stamp self)
    {
        GroupEntry entry = Entry(group);
        ulong state = Atomics.Acquire(ref entry.State);
        bool isNeeded = GroupEntry.Phase(state) == GroupEntry.Active && (entry.IsDurable || HasMember(group));
        return !_channel.Participants.IsAlive(GroupEntry.Holder(state)) && !isNeeded
            && TryRetire(group, state, self, RetireReason.Lifeless);
    }

    /// <param name="group">The group.</param>
    /// <param name="expectedState">Its state as it was looked at.</param>
    /// <param name="self">Who retires it.</param>
    /// <param name="reason">Why; asked again once the state says retiring, and nobody else changes the entry or joins it: the state alone
    /// does not tell one shared group from the next.</param>
    /// <param name="lane">For a broken cursor: the lane where it stands.</param>
    /// <param name="name">For a deletion: the group's name.</param>
    private bool TryRetire(
        int group, ulong expectedState, Stamp self, RetireReason reason, LaneWriter? lane = null, string? name = null)
    {
        GroupEntry entry = Entry(group);
        if (!Atomics.CompareExchange(ref entry.State, expectedState, GroupEntry.Pack(GroupEntry.Retiring, self)))
        {
            return false;
        }

        // One that was never active, or that a dead retirer has stopped gating, can only go on to be free.
        bool isWhole = GroupEntry.Phase(expectedState) != GroupEntry.Joining && entry.IsComplete
            && (Atomics.Acquire(ref _channel.ActiveGroups) >> group & 1) != 0;
        // SYNC: newcomer's place visible to retirer, or retirer's state visible to newcomer
        if (isWhole && !IsRight(reason, group, lane, name))
        {
            bool wasActive = GroupEntry.Phase(expectedState) == GroupEntry.Active;
            Atomics.Release(ref entry.State, wasActive ? expectedState : GroupEntry.Pack(GroupEntry.Active, Stamp.None));
            _channel.TryWakeReaders();
            return false;
        }

        Atomics.And(ref _channel.ActiveGroups, ~(1UL << group));
        _channel.RaiseVersion();
        ForgetDeadClaims(group);
        Atomics.Release(ref entry.State, GroupEntry.Free);
        _channel.TryWakeWriters();
        return true;
    }

    private bool IsRight(RetireReason reason, int group, LaneWriter? lane, string? name) => reason switch
    {
        RetireReason.Lifeless => !Entry(group).IsDurable && (Entry(group).Name is null || !HasMember(group)),
        RetireReason.StandsStill => !Entry(group).IsDurable,
        RetireReason.Broken => lane!.IsSuspect(group),
        RetireReason.Deleted => Entry(group).Is(name!) && !HasMember(group),
        _ => true,
    };

    /// <summary>What dead members of a retired group were working on is nobody's any more; their slots become free.</summary>
    private void ForgetDeadClaims(int group)
    {
        foreach (int slot in _channel.Claims)
        {
            if (_channel.Claims.Group(slot) == group && !_channel.Participants.IsAlive(_channel.Participants.Holder(slot)))
            {
                ForgetClaims(slot);
            }
        }
    }

    /// <remarks>All are read first: with the last one that goes, the slot is somebody else's.</remarks>
    private void ForgetClaims(int slot)
    {
        Span<ulong> intents = stackalloc ulong[ClaimTable.MaxIntents];
        for (int number = 0; number < intents.Length; number++)
        {
            intents[number] = Atomics.Acquire(ref _channel.Claims.Intent(slot, number));
        }

        for (int number = 0; number < intents.Length; number++)
        {
            if (intents[number] != 0)
            {
                Atomics.CompareExchange(ref _channel.Claims.Intent(slot, number), intents[number], 0);
            }
        }
    }

    private enum RetireReason
    {
        Left,
        Lifeless,
        StandsStill,
        Broken,
        Deleted,
    }
}
