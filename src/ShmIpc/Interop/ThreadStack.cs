// Where a thread's stack lies: who runs on it is that thread. Comparing the address of a local variable costs a sixth of asking the
// runtime for the thread's number. Two living threads never share a stack; a dead one's may be given to a new one.

using System.Runtime.CompilerServices;
using static ShmIpc.Interop.LibCExtras;

namespace ShmIpc.Interop;

internal readonly unsafe struct ThreadStack
{
    // The main thread's stack may be said to reach far down, where others are mapped later. What is deeper than this counts as elsewhere.
    private const nuint MostBytes = 64 << 20;
    private const int PthreadAttributesBytes = 128; // a pthread_attr_t has 56 on x64, 64 on arm64
    private readonly nuint _low;
    private readonly nuint _bytes;

    private ThreadStack(nuint low, nuint bytes)
    {
        _low = low;
        _bytes = bytes;
    }

    /// <summary>A stack on which every thread runs.</summary>
    public static ThreadStack Any => new(0, nuint.MaxValue);

    /// <summary>An address on the stack of the calling thread.</summary>
    public static nuint Here
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            byte here;
            return (nuint)(&here);
        }
    }

    /// <summary>True for the thread whose stack it is; false for the default, which is nobody's.</summary>
    public bool IsHere
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Contains(Here);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(nuint address) => address - _low < _bytes;

    /// <summary>The calling thread's, or nobody's where the C library does not say.</summary>
    public static ThreadStack OfThisThread()
    {
        byte* attributes = stackalloc byte[PthreadAttributesBytes];
        if (pthread_getattr_np(pthread_self(), attributes) != 0)
        {
            return default;
        }

        void* low;
        nuint bytes;
        int error = pthread_attr_getstack(attributes, &low, &bytes);
        _ = pthread_attr_destroy(attributes);
        nuint top = (nuint)low + bytes;
        nuint bottom = nuint.Max((nuint)low, Here - nuint.Min(MostBytes, Here));
        return error == 0 && bottom < top ? new ThreadStack(bottom, top - bottom) : default;
    }
}
