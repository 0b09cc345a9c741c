// The name of a participant in shared memory: which slot of the participants table it holds, and in which epoch of that slot.
// Epochs only grow, so a stamp is never used twice in the life of a region. 62 bits: 54 of epoch, 8 of slot.

namespace ShmIpc.Regions;

internal readonly record struct Stamp(ulong Value)
{
    public const int Bits = 62;
    public const ulong MaxEpoch = (1UL << 54) - 1;
    public static readonly Stamp None = new(0);

    public Stamp(ulong epoch, int slot)
        : this((epoch << 8) | (uint)slot)
    {
    }

    public int Slot => (int)(Value & 0xFF);

    public ulong Epoch => Value >> 8;

    /// <summary>False for the empty stamp, and for words that no participant can have written.</summary>
    public bool IsPlausible => Epoch != 0 && Epoch <= MaxEpoch;

    public override string ToString() => $"{Slot}.{Epoch}";
}
