// Where the intents of the members of shared groups stand, as the producers read them: a view on the participants' slots, of which it
// knows the two words that matter and not who owns them.
//
//   claimants     4 x u64, bit s: slot s may hold intents
//   slot          place: number of the member's group + 1; intents: 8 x u64 (Intent.cs), each written by the member, or by its heir

using System.Numerics;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal readonly struct ClaimTable(MappedSpan claimants, MappedSpan slots, int slotBytes, int placeOffset, int intentsOffset)
{
    public const int MaxIntents = 8;
    private readonly MappedSpan _claimants = claimants;
    private readonly MappedSpan _slots = slots;
    private readonly int _slotBytes = slotBytes;
    private readonly int _placeOffset = placeOffset;
    private readonly int _intentsOffset = intentsOffset;

    /// <summary>The slots that may hold intents, as far as there are such slots; empty in a channel without shared groups.</summary>
    public SlotEnumerator GetEnumerator() => new(_claimants, _slotBytes == 0 ? 0 : (int)(_slots.LengthBytes / _slotBytes));

    public ref ulong Place(int slot) => ref _slots.UInt64(((long)slot * _slotBytes) + _placeOffset);

    public ref ulong Intent(int slot, int number) =>
        ref _slots.UInt64(((long)slot * _slotBytes) + _intentsOffset + (number * sizeof(ulong)));

    /// <summary>The group that a slot's holder is, or was, a member of; -1 for none.</summary>
    public int Group(int slot)
    {
        ulong place = Atomics.Acquire(ref Place(slot));
        return place is >= 1 and <= 64 ? (int)place - 1 : -1;
    }

    public bool HasIntents(int slot)
    {
        ulong intents = 0;
        for (int number = 0; number < MaxIntents; number++)
        {
            intents |= Atomics.Acquire(ref Intent(slot, number));
        }

        return intents != 0;
    }

    public void Announce(int slot) => Atomics.Or(ref Word(slot), 1UL << (slot % 64));

    public void Withdraw(int slot) => Atomics.And(ref Word(slot), ~(1UL << (slot % 64)));

    private ref ulong Word(int slot) => ref _claimants.UInt64(slot / 64 * sizeof(ulong));

    /// <summary>Goes through the set bits.</summary>
    public struct SlotEnumerator(MappedSpan claimants, int slots)
    {
        private readonly MappedSpan _claimants = claimants;
        private readonly int _slots = slots;
        private ulong _rest;
        private int _word = -1;

        public int Current { get; private set; }

        public bool MoveNext()
        {
            while (_rest == 0)
            {
                if (++_word * 64 >= _slots)
                {
                    return false;
                }

                _rest = Atomics.Acquire(ref _claimants.UInt64(_word * sizeof(ulong)));
            }

            Current = (_word * 64) + BitOperations.TrailingZeroCount(_rest);
            _rest &= _rest - 1;
            return Current < _slots;
        }
    }
}
