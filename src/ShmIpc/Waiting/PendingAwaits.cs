// The pending awaits of one attachment (this process and one region), and the one doorbell that they share. However many there are, the
// hub waits on one word for all of them.
//
// THE SHARED DOORBELL is that of one of the attachment's own participants, the lead. Each await sets the bit of the lead's slot in the
// parked bitmap of its own room; one hub thread sleeps on the lead's bell, and looks at all of them when it rings.
//
// WHY SHARING LOSES NO WAKE-UP. The protocol of WaitingRoom needs two things only: a publish that a look missed finds the bit set, or
// finds that somebody has cleared it since; and whoever clears a bit rings that bell afterwards. It does not matter who had set the bit,
// nor how many sleep: a ring raises the word for all who hold an older ticket, and wakes all. So the lead's own threads may sleep on
// the same bell, and even another process whose participant got the lead's slot when the lead had left (until the hub has chosen a new
// lead): they wake each other in vain, and never too little.
//
// WHEN AN AWAIT NEEDS NO FENCE. A bit alone says nothing: somebody else may have set it and not fenced yet. But as long as the bit stands
// and the bell has not rung since a fence of ours, every publisher either looked at the bitmap after that fence and saw the bit, or had
// its message visible by then. If the bit was cleared in between and set again by somebody else, the ring that follows the
// clearing makes the hub look at everybody (if the waker dies before it rings: after MaxPark).
//
// Everything is under one lock an attachment, looks included (they never block). What is finished is completed after the lock is given
// back: a continuation may do anything.
//
// WHO KEEPS THE MEMORY MAPPED. From the first await on, the hub holds a reference through the lead, until it finds nothing pending at a
// ring or at its regular look. It does not let go between two awaits that follow each other, so a steady stream of them wakes the hub
// once a message and not once an await.

namespace ShmIpc.Waiting;

internal sealed class PendingAwaits
{
    private const int AnySlot = -1;
    private readonly Lock _sync = new();
    private readonly List<PendingAwait> _pending = [];

    // Written under the lock. The lead and its ticket: by whoever attaches to a hub, and from then on by the hub's thread only, which may
    // therefore read them without the lock. No lead: no hub.
    private ISleeper? _lead;
    private uint _ticket;
    private bool _isContended;
    private bool _isLeadGone;

    /// <summary>The doorbell that all of them share. For the hub.</summary>
    public nint DoorbellAddress => _lead!.Room.DoorbellAddress(_lead.Slot);

    /// <summary>The doorbell's value when the hub looked last. For the hub.</summary>
    public uint Ticket => _ticket;

    /// <summary>Some await could not be looked at, because another thread was at work: look again soon. For the hub.</summary>
    public bool IsContended => _isContended;

    /// <summary>True when <see cref="Poll"/> would find something new. For the hub.</summary>
    public bool IsDue => _isContended || _lead!.Room.Ticket(_lead.Slot) != _ticket;

    /// <summary>Looks once more and adds the await. False, or an exception, when there is nothing to wait for.</summary>
    public bool TryAdd(PendingAwait entry)
    {
        lock (_sync)
        {
            if (_lead is null)
            {
                Attach(entry.Sleeper);
            }

            _ = entry.Sleeper.IsQuiet || TryPrepare(entry.Sleeper.Room);
            if (entry.Look())
            {
                return entry.Error is null ? false : throw entry.Error;
            }

            entry.Index = _pending.Count;
            _pending.Add(entry);
            if (entry.IsContended)
            {
                _lead!.Room.Ring(_lead.Slot); // the hub has to look again sooner than it thinks
            }

            return true;
        }
    }

    /// <summary>Takes an await out. False when it is finished already.</summary>
    public bool TryRemove(PendingAwait entry)
    {
        lock (_sync)
        {
            if (entry.Index < 0)
            {
                return false;
            }

            Remove(entry);
            return true;
        }
    }

    /// <summary>The participant of this slot has ended or leaves: its awaits look once more, and those of others choose another
    /// doorbell. Ring its bell afterwards.</summary>
    public void End(int slot)
    {
        PendingAwait? finished;
        lock (_sync)
        {
            if (_lead is null)
            {
                return;
            }

            finished = LookAt(slot, null);
            _isLeadGone |= _lead.Slot == slot;
            if (_isContended)
            {
                _lead.Room.Ring(_lead.Slot);
            }
        }

        Complete(finished);
    }

    /// <summary>Looks at all awaits. False when there was none: the hub forgets this doorbell. For the hub.</summary>
    public bool Poll()
    {
        PendingAwait? finished = null;
        ISleeper? released = null;
        bool isAttached;
        lock (_sync)
        {
            isAttached = _pending.Count > 0;
            if (_isLeadGone || !isAttached)
            {
                released = _lead;
                _lead = isAttached ? _pending[0].Sleeper : null;
                _lead?.KeepAlive();
                _isLeadGone = false;
            }

            if (isAttached)
            {
                _ticket = _lead!.Room.Ticket(_lead.Slot);
                _isContended = false;
                finished = LookAt(AnySlot, null);
                if (TryPrepareAll()) // after the look: most often nothing is left, and no publisher has to ring for nobody
                {
                    finished = LookAt(AnySlot, finished);
                }
            }
        }

        Complete(finished);
        released?.EndKeepAlive();
        return isAttached;
    }

    private void Attach(ISleeper lead)
    {
        lead.KeepAlive();
        try
        {
            (_lead, _ticket) = (lead, lead.Room.Ticket(lead.Slot));
            (_isContended, _isLeadGone) = (false, false);
            AsyncHub.Attach(this);
        }
        catch
        {
            _lead = null;
            lead.EndKeepAlive();
            throw;
        }
    }

    /// <summary>Prepares every room in which somebody waits whom a publisher has to wake. False when all of them were: nothing is new
    /// since the last look.</summary>
    private bool TryPrepareAll()
    {
        bool isNew = false;
        WaitingRoom? last = null;
        foreach (PendingAwait entry in _pending)
        {
            if (entry.Sleeper.Room != last && !entry.Sleeper.IsQuiet)
            {
                last = entry.Sleeper.Room;
                isNew |= TryPrepare(last);
            }
        }

        return isNew;
    }

    private bool TryPrepare(WaitingRoom room)
    {
        int slot = _lead!.Slot;
        if (room.Prepared.Slot == slot && room.IsPrepared(slot, room.Prepared.Ticket))
        {
            return false;
        }

        room.Prepared = (slot, room.Prepare(slot));
        return true;
    }

    /// <summary>Takes out those that are over, and returns them before <paramref name="finished"/>.</summary>
    private PendingAwait? LookAt(int slot, PendingAwait? finished)
    {
        for (int i = _pending.Count - 1; i >= 0; i--)
        {
            PendingAwait entry = _pending[i];
            if (slot != AnySlot && entry.Sleeper.Slot != slot)
            {
                continue;
            }

            if (entry.Look())
            {
                Remove(entry);
                entry.NextFinished = finished;
                finished = entry;
            }
            else
            {
                _isContended |= entry.IsContended;
            }
        }

        return finished;
    }

    private void Remove(PendingAwait entry)
    {
        PendingAwait last = _pending[^1];
        _pending[entry.Index] = last;
        last.Index = entry.Index;
        _pending.RemoveAt(_pending.Count - 1);
        entry.Index = -1;
    }

    private static void Complete(PendingAwait? finished)
    {
        while (finished is not null)
        {
            PendingAwait entry = finished;
            finished = entry.NextFinished; // before its owner can use it again
            entry.NextFinished = null;
            entry.Complete();
        }
    }
}
