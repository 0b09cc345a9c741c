// What becomes of the records that a dead member of a shared group was working on: a survivor hands them out again.
//
// The intents stay in the dead member's slot, where the producers see them, and which nobody takes as long as one is left. A survivor
// becomes the slot's heir by CAS (from nobody, or from a dead heir), and then looks again whose slot it is: between its look and its
// CAS another heir may have finished, and somebody new may live there. As heir it takes each intent in turn:
//   - the group's cursor is not past it: the record was never won; clear the intent;
//   - else the version is raised with a full fence, so that a producer whose refresh missed the intent starts over; if the floor is past
//     it then, the intent was stale (its owner lost the race, and died before it could clear it): clear it;
//   - else the record is redelivered, in place, with its delivery count raised first; the intent is cleared at the acknowledgement.
// Intents are never moved: a producer's scan would miss one that moves behind it. An heir that dies is followed by another.
//
// models/group.pml checks this with deaths between any two steps.

using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed class ClaimRecovery(ChannelRegion channel, int group, Stamp self)
{
    private readonly ChannelRegion _channel = channel;
    private readonly int _group = group;
    private readonly Stamp _self = self;

    /// <summary>Finds an intent of a dead member that no living heir is at work on.</summary>
    public bool TryFind(Func<int, int, bool> isHeld, out int slot, out int number)
    {
        foreach (int claimant in _channel.Claims)
        {
            if (claimant == _self.Slot || _channel.Claims.Group(claimant) != _group || !_channel.Claims.HasIntents(claimant)
                || _channel.Participants.IsAlive(_channel.Participants.Holder(claimant)) || IsAtWork(claimant))
            {
                continue;
            }

            for (int i = 0; i < ClaimTable.MaxIntents; i++)
            {
                if (Atomics.Acquire(ref _channel.Claims.Intent(claimant, i)) != 0 && !isHeld(claimant, i))
                {
                    (slot, number) = (claimant, i);
                    return true;
                }
            }
        }

        (slot, number) = (-1, -1);
        return false;
    }

    /// <summary>Takes over one intent. False when it turned out to hold nothing, or somebody else has it.</summary>
    public bool TryTake(int slot, int number, SharedLaneReader?[] readers, out Intent intent, out LaneRecord record)
    {
        record = default;
        intent = default;
        if (!TryInherit(slot))
        {
            return false;
        }

        ref ulong word = ref _channel.Claims.Intent(slot, number);
        intent = new Intent(Atomics.Acquire(ref word));
        SharedLaneReader? reader = intent.IsSet && intent.Lane < readers.Length ? readers[intent.Lane] : null;
        if (reader is null && intent.IsSet && (_channel.AllocatedLanes() >> intent.Lane & 1) != 0)
        {
            return false; // not mapped yet; the next look has it
        }

        if (reader is null || !reader.IsPast(intent.Position))
        {
            Clear(slot, number, intent);
            return false;
        }

        _channel.Claims.Announce(slot);
        _channel.RaiseVersion(); // SYNC: intent visible to producer, or its floor visible here
        if (_channel.Lane(intent.Lane).Floor.Read().Position > intent.Position || !reader.TryRecall(intent.Position, out record))
        {
            Clear(slot, number, intent);
            return false;
        }

        Intent found = intent;
        intent = intent.Redelivered();
        return Atomics.CompareExchange(ref word, found.Word, intent.Word);
    }

    /// <summary>Clears an intent of this member, or of one whose heir it is; with the last one it stops being the heir.</summary>
    /// <remarks>When the group was evicted, the inherited slot may belong to somebody else by now; whose intents are other words, because
    /// an inherited one was delivered twice.</remarks>
    public void Clear(int slot, int number, Intent intent)
    {
        if (slot == _self.Slot)
        {
            Atomics.Release(ref _channel.Claims.Intent(slot, number), 0); // SYNC: member done with the bytes
            return;
        }

        // Looked at before the clearing: from then on somebody new may have the slot.
        bool isLast = true;
        for (int i = 0; i < ClaimTable.MaxIntents; i++)
        {
            isLast &= i == number || Atomics.Acquire(ref _channel.Claims.Intent(slot, i)) == 0;
        }

        // SYNC: member done with the bytes
        bool isCleared = Atomics.CompareExchange(ref _channel.Claims.Intent(slot, number), intent.Word, 0);
        if (isLast || !isCleared)
        {
            StopInheriting(slot);
        }
    }

    private bool IsAtWork(int slot)
    {
        ulong heir = Atomics.Acquire(ref _channel.Participants.Heir(slot));
        return heir != 0 && heir != _self.Value && _channel.Participants.IsAlive(new Stamp(heir));
    }

    private bool TryInherit(int slot)
    {
        ref ulong heir = ref _channel.Participants.Heir(slot);
        ulong before = Atomics.Acquire(ref heir);
        Stamp dead = _channel.Participants.Holder(slot);
        if (before != _self.Value
            && (_channel.Participants.IsAlive(dead) || IsAtWork(slot) || !Atomics.CompareExchange(ref heir, before, _self.Value)))
        {
            return false;
        }

        // The claims first: seen while the slot is still the dead one's afterwards, they are its own, and nobody takes the slot now.
        if (_channel.Claims.Group(slot) == _group && _channel.Claims.HasIntents(slot)
            && _channel.Participants.Holder(slot) == dead && !_channel.Participants.IsAlive(dead))
        {
            return true;
        }

        StopInheriting(slot);
        return false;
    }

    private void StopInheriting(int slot) => Atomics.CompareExchange(ref _channel.Participants.Heir(slot), _self.Value, 0);
}
