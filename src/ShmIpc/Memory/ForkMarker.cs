// Tells an object that it was made by this process, and not by the one that this process was forked from, at the price of one load.
//
// One page of private memory is marked MADV_WIPEONFORK: the kernel hands it to a forked child zeroed. It holds the generation of the
// process, which is never 0. Whoever must not outlive a fork remembers the generation that it was made in, and compares. A child that
// makes objects of its own gets the next generation, so those of its parents, grandparents and so on stay foreign to it for ever.
//
// Before Linux 4.14 there is no such page: the generation never changes, and a use after fork is not noticed.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmIpc.Interop;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

internal static unsafe class ForkMarker
{
    private static readonly int* _word = MapWord();
    private static int _lastGeneration; // in ordinary memory: a child knows how far its parent counted

    /// <summary>The generation of this process; 0 in a forked child that has not called <see cref="Join"/> yet.</summary>
    public static int Generation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => *_word;
    }

    /// <summary>The generation of this process, for an object that is being made.</summary>
    public static int Join()
    {
        int generation = Atomics.Acquire(ref *_word);
        if (generation != 0)
        {
            return generation;
        }

        _ = Atomics.CompareExchange(ref *_word, 0, Atomics.Increment(ref _lastGeneration));
        return Atomics.Acquire(ref *_word); // perhaps another thread's: one is as good as the other
    }

    private static int* MapWord()
    {
        var pageBytes = (size_t)(ulong)LinuxProcess.PageSizeBytes;
        var page = mmap(null, pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return page != MAP_FAILED && madvise(page, pageBytes, MADV_WIPEONFORK) == 0
            ? (int*)page
            : (int*)NativeMemory.AllocZeroed(sizeof(int));
    }
}
