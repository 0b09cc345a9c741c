// Where the participants of a channel sleep, and how they are woken: one room for readers (until something is published), one for
// writers (until a cursor moves).
//
// THE PROTOCOL. A sleeper
//   (1) reads its doorbell (the ticket), (2) sets its bit in the parked bitmap, (3) orders, (4) looks again for what it waits for,
//   (5) futex-waits on its doorbell as long as it still equals the ticket, at most MaxPark.
// A publisher (a) stores what the sleeper waits for, (b) looks at the bitmap, and only if a bit is set: clears it, raises that
// doorbell, wakes it. No system call while nobody sleeps.
//
// WHY NO WAKE-UP IS LOST. Either (4) sees the store of (a), or (b) sees the bit of (2): that needs a fence between (a) and (b), and
// one between (2) and (4). The sleeper pays for both: its `membarrier(GLOBAL_EXPEDITED)` at (3) makes every running thread of every
// registered process execute a full fence, so (a) and (b) of a publisher are on the same side of it, or in the right order. A
// process that could not register fences itself between (a) and (b). A sleeper whose call fails relies on (5) being bounded.
// A waker that is killed between clearing the bit and waking delays the sleeper by MaxPark at most; a sleeper that was killed leaves
// a bit that costs one publisher one system call. A sleeper never clears its own bit: a stale bit costs the same.
//
// Several may sleep on one bell (PendingAwaits): a ring wakes all of them, and each looks again for what it waits for.
//
// WHAT IT COSTS in cache lines that change hands: nothing while nobody sleeps (a line that both sides only read is in both caches); a
// wake-up takes 3: the sleeper's bit is read, cleared, and its doorbell raised.
//
// Knows participants by slot number only. Doorbells are futex words shared between processes.

using System.Numerics;
using System.Runtime.CompilerServices;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Waiting;

internal sealed class WaitingRoom
{
    /// <summary>No park lasts longer without looking again.</summary>
    public static readonly TimeSpan MaxPark = TimeSpan.FromMilliseconds(50);

    private static readonly bool _isRegistered = Membarrier.TryRegisterGlobalExpedited();

    private readonly MappedSpan _section;
    private readonly MappedSpan _parked;

    private WaitingRoom(MappedSpan section, int parkedOffset, PendingAwaits awaits)
    {
        Awaits = awaits;
        _section = section.Slice(0, DoorbellLayout.SectionBytes);
        _parked = section.Slice(parkedOffset, DoorbellLayout.ParkedWords * sizeof(ulong));
    }

    /// <summary>Those of this attachment who await something, here or in its other room.</summary>
    public PendingAwaits Awaits { get; }

    /// <summary>For <see cref="Awaits"/>, under its lock: the slot and the ticket of its last <see cref="Prepare"/>.</summary>
    public (int Slot, uint Ticket) Prepared { get; set; } = (-1, 0);

    /// <summary>True when somebody is parked here. Call it after the store that the sleepers wait for.</summary>
    public bool AnyParked
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (!_isRegistered)
            {
                Atomics.FullFence();
            }

            return _parked.IsAnySetInFourWords(0); // SYNC: sleeper's bit visible to waker
        }
    }

    /// <param name="section">The doorbells' section.</param>
    /// <param name="awaits">What the attachment's rooms share. Null: a room of its own.</param>
    public static WaitingRoom ForReaders(MappedSpan section, PendingAwaits? awaits = null) =>
        new(section, DoorbellLayout.ParkedReadersOffset, awaits ?? new PendingAwaits());

    /// <inheritdoc cref="ForReaders"/>
    public static WaitingRoom ForWriters(MappedSpan section, PendingAwaits? awaits = null) =>
        new(section, DoorbellLayout.ParkedWritersOffset, awaits ?? new PendingAwaits());

    /// <summary>The region is about to go: wakes everybody, and marks everybody as parked, for good. So the next publish or read of any
    /// participant takes the slow path, where it learns that the region was deleted; the fast path pays nothing for it.</summary>
    public static void CloseAll(MappedSpan section)
    {
        for (int word = 0; word < DoorbellLayout.ParkedWords; word++)
        {
            Atomics.Or(ref section.UInt64(DoorbellLayout.ParkedReadersOffset + (word * sizeof(ulong))), ulong.MaxValue);
            Atomics.Or(ref section.UInt64(DoorbellLayout.ParkedWritersOffset + (word * sizeof(ulong))), ulong.MaxValue);
        }

        for (int slot = 0; slot < DoorbellLayout.MaxParticipants; slot++)
        {
            Ring(section, slot);
        }
    }

    /// <summary>Wakes everybody who is parked here.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void WakeAll()
    {
        for (int word = 0; word < DoorbellLayout.ParkedWords; word++)
        {
            ref ulong parked = ref _parked.UInt64(word * sizeof(ulong));
            ulong slots = Atomics.Acquire(ref parked);
            if (slots == 0)
            {
                continue;
            }

            slots = Atomics.And(ref parked, ~slots) & slots;
            for (; slots != 0; slots &= slots - 1)
            {
                Ring(_section, (word * 64) + BitOperations.TrailingZeroCount(slots));
            }
        }
    }

    /// <summary>The futex word of a slot.</summary>
    public nint DoorbellAddress(int slot) => _section.Address(DoorbellOffset(slot));

    /// <summary>True as long as the next publisher would wake this slot: its doorbell has not rung since the ticket was taken, and its bit
    /// still stands. The bit alone may be gone: a waker is about to ring, or died before it could.</summary>
    public bool IsPrepared(int slot, uint ticket) => Ticket(slot) == ticket
        && (Atomics.Acquire(ref ParkedWord(slot)) >> (slot % 64) & 1) != 0;

    /// <summary>Steps 1 to 3. Look again for what is waited for, then call <see cref="Sleep"/> with the ticket, or go on.</summary>
    public uint Prepare(int slot)
    {
        uint ticket = Mark(slot);
        Fence();
        return ticket;
    }

    /// <summary>Steps 1 and 2, for who prepares in several rooms and then calls <see cref="Fence"/> once.</summary>
    public uint Mark(int slot)
    {
        uint ticket = Ticket(slot);
        Atomics.Or(ref ParkedWord(slot), 1UL << (slot % 64)); // SYNC: sleeper's bit visible to waker
        return ticket;
    }

    /// <summary>Step 3.</summary>
    public static void Fence() => Membarrier.TryGlobalExpedited();

    /// <summary>Step 1 alone: the doorbell's value.</summary>
    public uint Ticket(int slot) => Atomics.Acquire(ref _section.UInt32(DoorbellOffset(slot)));

    /// <summary>Step 5: sleeps until the doorbell rings, for <paramref name="atMost"/> or <see cref="MaxPark"/>, whichever is
    /// shorter.</summary>
    public void Sleep(int slot, uint ticket, TimeSpan atMost) =>
        Futex.Wait(DoorbellAddress(slot), ticket, atMost < MaxPark ? atMost : MaxPark);

    /// <summary>Rings one slot's doorbell: a cancelled wait wakes its own sleeper.</summary>
    public void Ring(int slot) => Ring(_section, slot);

    /// <summary>The participant of a slot has ended or leaves: its sleeping threads and its pending awaits look once more, and find
    /// out.</summary>
    public void End(int slot)
    {
        Awaits.End(slot);
        Ring(slot);
    }

    private ref ulong ParkedWord(int slot) => ref _parked.UInt64(slot / 64 * sizeof(ulong));

    private static void Ring(MappedSpan section, int slot)
    {
        long offset = DoorbellOffset(slot);
        Atomics.Increment(ref section.UInt32(offset));
        Futex.Wake(section.Address(offset), int.MaxValue);
    }

    private static long DoorbellOffset(int slot) => DoorbellLayout.DoorbellsOffset + ((long)slot * DoorbellLayout.DoorbellStrideBytes);
}
