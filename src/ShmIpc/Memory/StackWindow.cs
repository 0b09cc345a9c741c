// A few kilobytes of the stack on which a thread runs: who runs there is that thread. Comparing the address of a local variable costs a
// sixth of asking the runtime for the thread's number.
//
// Two living threads are never both in a window. Stacks do not overlap, and a page at least stands between them, so of two whose ends lie
// in one window the upper has less than the window left, and is about to die of it. The stack of a thread that is gone may be a new
// thread's; then that one is in the window. A thread that runs at another depth than before is not.

using System.Runtime.CompilerServices;

namespace ShmIpc.Memory;

internal readonly unsafe struct StackWindow
{
    private const nuint ReachBytes = 8 << 10; // to both sides
    private readonly nuint _low;
    private readonly nuint _bytes;

    private StackWindow(nuint low, nuint bytes)
    {
        _low = low;
        _bytes = bytes;
    }

    /// <summary>Every thread runs there.</summary>
    public static StackWindow Everywhere => new(0, nuint.MaxValue);

    /// <summary>True for the thread that runs there; never for the default.</summary>
    public bool IsHere
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            byte here;
            return (nuint)(&here) - _low < _bytes;
        }
    }

    /// <summary>Around the caller's frame.</summary>
    public static StackWindow AroundHere()
    {
        byte here;
        return new((nuint)(&here) - ReachBytes, 2 * ReachBytes);
    }
}
