// Who takes part in a region, and who of them is alive. The kernel answers that: every participant holds an OFD write lock on a byte
// that is its own and nobody else's ever; the kernel drops it when the process dies, however it dies, and across PID namespaces.
//
// WHY JOINING IS SAFE. A newcomer (1) finds a slot whose present epoch nobody holds the byte of, (2) locks the byte of the *next*
// epoch, (3) looks whether that epoch is the present one still, (4) writes what it is over what the dead holder was, (5) raises the
// slot's epoch by CAS. Two newcomers of different attachments cannot both hold the byte at (2); two of the same attachment share a
// description, whose locks do not exclude each other, so joining is serialised within an attachment. Nobody else passes (5) from the
// epoch that (3) found, so the slot is the newcomer's from there on. After (5) the lock is already held: the new stamp is alive from
// the first instant at which anybody can read it, and nobody takes it for what the dead holder was: a consumer, a member of its group.
// A death before (5) leaves the slot free.
//
// WHY PROBING IS SAFE. A probe is F_OFD_GETLK, never a lock, through a description that never holds one: a description does not see
// its own locks, and locking in order to probe would make the dead look alive to others.
//
// Knows nothing of what a participant does (lanes, groups); a slot that still carries somebody's unfinished claims is not free.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Regions;

internal enum ParticipantRole : uint
{
    Producer = 1,
    Consumer = 2,

    /// <summary>Takes part without a group: it looks on, or does a piece of work, and gates nobody.</summary>
    Observer = 3,
}

internal sealed class ParticipantTable(MappedSpan table, int slots, SafeFileHandle lockFile, SafeFileHandle probeFile, string path)
{
    private readonly MappedSpan _table = table;
    private readonly int _slots = slots;
    private readonly SafeFileHandle _lockFile = lockFile;
    private readonly SafeFileHandle _probeFile = probeFile;
    private readonly string _path = path;
    private readonly Lock _joining = new();

    /// <summary>Takes a free slot and its lock.</summary>
    /// <exception cref="ShmLimitException">Every slot is held by somebody living.</exception>
    public Stamp Join(ParticipantRole role)
    {
        int alive = 0;
        int claimed = 0;
        lock (_joining)
        {
            for (int slot = 0; slot < _slots; slot++)
            {
                ref ulong epochWord = ref Word(slot, ParticipantLayout.EpochOffset);
                ulong epoch = Atomics.Acquire(ref epochWord);
                if (epoch != 0 && IsAlive(new Stamp(epoch, slot)))
                {
                    alive++;
                    continue;
                }

                if (HasClaims(slot))
                {
                    claimed++;
                    continue;
                }

                if (epoch >= Stamp.MaxEpoch)
                {
                    continue; // used up, which takes longer than any machine runs: a peer wrote it
                }

                Stamp stamp = new(epoch + 1, slot);
                if (!LinuxFile.TryLock(_lockFile, RegionLocks.Participant(stamp), 1, exclusive: true))
                {
                    continue;
                }

                if (Atomics.Acquire(ref epochWord) == epoch)
                {
                    Describe(slot, role);
                    if (Atomics.CompareExchange(ref epochWord, epoch, stamp.Epoch))
                    {
                        return stamp;
                    }
                }

                LinuxFile.Unlock(_lockFile, RegionLocks.Participant(stamp), 1);
            }
        }

        throw new ShmLimitException(
            $"None of the {_slots} participants' slots of {_path} is free: {alive} belong to living producers or consumers, "
            + $"{claimed} to dead ones with "
            + "unfinished messages. Dispose a producer or consumer, or create the region with a larger MaxParticipants.");
    }

    /// <summary>Gives the slot back: from here on the stamp is dead.</summary>
    public void Leave(Stamp stamp) => LinuxFile.Unlock(_lockFile, RegionLocks.Participant(stamp), 1);

    /// <summary>Asks the kernel. A stamp that was never given out is dead.</summary>
    public bool IsAlive(Stamp stamp) =>
        stamp.IsPlausible && stamp.Slot < _slots && LinuxFile.IsLocked(_probeFile, RegionLocks.Participant(stamp), 1);

    /// <summary>Number of slots.</summary>
    public int Slots => _slots;

    /// <summary>The present or last holder of a slot.</summary>
    public Stamp Holder(int slot) => new(Atomics.Acquire(ref Word(slot, ParticipantLayout.EpochOffset)), slot);

    /// <summary>Stamp of whoever recovers what a dead holder of the slot was working on.</summary>
    public ref ulong Heir(int slot) => ref Word(slot, ParticipantLayout.HeirOffset);

    /// <summary>Living participants of a role.</summary>
    public int CountAlive(ParticipantRole role)
    {
        int alive = 0;
        for (int slot = 0; slot < _slots; slot++)
        {
            ulong epoch = Atomics.Acquire(ref Word(slot, ParticipantLayout.EpochOffset));
            if (_table.UInt32(Offset(slot) + ParticipantLayout.RoleOffset) == (uint)role && IsAlive(new Stamp(epoch, slot)))
            {
                alive++;
            }
        }

        return alive;
    }

    /// <summary>Nobody is alive, and what stands here may be older than what stands elsewhere: forgets all claims, and goes on with epochs
    /// that no stamp has, here or among those that the caller has seen.</summary>
    /// <param name="newestEpoch">The largest that the caller has seen.</param>
    public void Renew(ulong newestEpoch)
    {
        for (int slot = 0; slot < _slots; slot++)
        {
            Stamp heir = new(Word(slot, ParticipantLayout.HeirOffset));
            ulong epoch = Word(slot, ParticipantLayout.EpochOffset);
            newestEpoch = Math.Max(newestEpoch, epoch <= Stamp.MaxEpoch ? epoch : 0); // no participant gets beyond
            newestEpoch = Math.Max(newestEpoch, heir.IsPlausible ? heir.Epoch : 0);
        }

        for (int slot = 0; slot < _slots; slot++)
        {
            Atomics.Store(ref Word(slot, ParticipantLayout.EpochOffset), Math.Min(newestEpoch + 1, Stamp.MaxEpoch));
            Atomics.Store(ref Word(slot, ParticipantLayout.HeirOffset), 0);
            Atomics.Store(ref Word(slot, ParticipantLayout.PlaceOffset), 0);
            Atomics.Clear(_table.Bytes(
                Offset(slot) + ParticipantLayout.IntentsOffset, ParticipantLayout.MaxIntents * sizeof(ulong)));
        }
    }

    /// <summary>Process id that a slot's holder wrote down, for messages.</summary>
    public int ProcessId(Stamp stamp) => (int)_table.UInt32(Offset(stamp.Slot % _slots) + ParticipantLayout.ProcessIdOffset);

    private void Describe(int slot, ParticipantRole role)
    {
        Atomics.Store(ref _table.UInt32(Offset(slot) + ParticipantLayout.ProcessIdOffset), (uint)LinuxProcess.ProcessId());
        Atomics.Store(ref _table.UInt32(Offset(slot) + ParticipantLayout.RoleOffset), (uint)role);
        Atomics.Store(ref Word(slot, ParticipantLayout.JoinedOffset), WallClock.UnixNanoseconds());
        Atomics.Store(ref Word(slot, ParticipantLayout.PlaceOffset), 0);
    }

    private bool HasClaims(int slot)
    {
        ulong claims = 0;
        for (int i = 0; i < ParticipantLayout.MaxIntents; i++)
        {
            claims |= Atomics.Acquire(ref Word(slot, ParticipantLayout.IntentsOffset + (i * sizeof(ulong))));
        }

        return claims != 0;
    }

    private ref ulong Word(int slot, int offset) => ref _table.UInt64(Offset(slot) + offset);

    private static long Offset(int slot) => (long)slot * ParticipantLayout.SlotBytes;
}
