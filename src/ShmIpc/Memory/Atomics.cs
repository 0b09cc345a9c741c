// Every atomic operation and fence of the library, in one place (BannedSymbols.txt bans Volatile and Interlocked elsewhere).
// It exists so that each ordering edge can be found by searching for its users: an Acquire pairs with a Release that carries the
// same "SYNC:" words at its call site. It knows nothing of what the words mean.
#pragma warning disable RS0030 // the banned symbols are wrapped here and nowhere else

using System.Runtime.CompilerServices;

namespace ShmIpc.Memory;

internal static class Atomics
{
    /// <summary>A load that no later load or store of this thread can pass.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Acquire(ref ulong word) => Volatile.Read(ref word);

    /// <inheritdoc cref="Acquire(ref ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Acquire(ref uint word) => Volatile.Read(ref word);

    /// <inheritdoc cref="Acquire(ref ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Acquire(ref int word) => Volatile.Read(ref word);

    /// <inheritdoc cref="Acquire(ref ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Acquire(ref bool flag) => Volatile.Read(ref flag);

    /// <inheritdoc cref="Acquire(ref ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T? Acquire<T>(ref T? reference)
        where T : class => Volatile.Read(ref reference);

    /// <summary>A store that no earlier load or store of this thread can be delayed past.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(ref ulong word, ulong value)
    {
        CrashPoint.BeforeStore(ref word);
        Volatile.Write(ref word, value);
    }

    /// <inheritdoc cref="Release(ref ulong, ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(ref uint word, uint value)
    {
        CrashPoint.BeforeStore(ref word);
        Volatile.Write(ref word, value);
    }

    /// <inheritdoc cref="Release(ref ulong, ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(ref int word, int value) => Volatile.Write(ref word, value);

    /// <inheritdoc cref="Release(ref ulong, ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(ref bool flag, bool value) => Volatile.Write(ref flag, value);

    /// <inheritdoc cref="Release(ref ulong, ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release<T>(ref T? reference, T? value)
        where T : class => Volatile.Write(ref reference, value);

    /// <summary>A plain store to shared memory: others may see it before or after any other that no release orders.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref ulong word, ulong value)
    {
        CrashPoint.BeforeStore(ref word);
        word = value;
    }

    /// <inheritdoc cref="Store(ref ulong, ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref uint word, uint value)
    {
        CrashPoint.BeforeStore(ref word);
        word = value;
    }

    /// <summary>Makes bytes of shared memory zero, in any order.</summary>
    public static void Clear(Span<byte> bytes)
    {
        CrashPoint.BeforeStore(bytes);
        bytes.Clear();
    }

    /// <summary>Replaces <paramref name="expected"/> by <paramref name="value"/>, or changes nothing and says false. A full
    /// fence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool CompareExchange(ref ulong word, ulong expected, ulong value)
    {
        CrashPoint.BeforeStore(ref word);
        return Interlocked.CompareExchange(ref word, value, expected) == expected;
    }

    /// <inheritdoc cref="CompareExchange(ref ulong, ulong, ulong)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool CompareExchange(ref int word, int expected, int value) =>
        Interlocked.CompareExchange(ref word, value, expected) == expected;

    /// <summary>Stores a reference and returns the one that stood there. A full fence.</summary>
    public static T? Exchange<T>(ref T? reference, T? value)
        where T : class => Interlocked.Exchange(ref reference, value);

    /// <summary>Stores a value and returns the one that stood there. A full fence.</summary>
    public static int Exchange(ref int word, int value) => Interlocked.Exchange(ref word, value);

    /// <summary>Adds one and returns the new value. A full fence.</summary>
    public static ulong Increment(ref ulong word)
    {
        CrashPoint.BeforeStore(ref word);
        return Interlocked.Increment(ref word);
    }

    /// <inheritdoc cref="Increment(ref ulong)"/>
    public static uint Increment(ref uint word)
    {
        CrashPoint.BeforeStore(ref word);
        return Interlocked.Increment(ref word);
    }

    /// <inheritdoc cref="Increment(ref ulong)"/>
    public static int Increment(ref int word) => Interlocked.Increment(ref word);

    /// <summary>Subtracts one and returns the new value. A full fence.</summary>
    public static int Decrement(ref int word) => Interlocked.Decrement(ref word);

    /// <summary>Sets the bits of <paramref name="bits"/> and returns what stood there before. A full fence.</summary>
    public static ulong Or(ref ulong word, ulong bits)
    {
        CrashPoint.BeforeStore(ref word);
        return Interlocked.Or(ref word, bits);
    }

    /// <summary>Keeps only the bits of <paramref name="bits"/> and returns what stood there before. A full fence.</summary>
    public static ulong And(ref ulong word, ulong bits)
    {
        CrashPoint.BeforeStore(ref word);
        return Interlocked.And(ref word, bits);
    }

    /// <summary>No load before it is done after any load or store behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadBarrier() => Volatile.ReadBarrier();

    /// <summary>No store behind it is done before any load or store in front of it. It does not order streaming stores, which large copies
    /// may use: see <see cref="FullFence"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteBarrier() => Volatile.WriteBarrier();

    /// <summary>Every load and store before it is complete before any load or store after it begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FullFence() => Interlocked.MemoryBarrier();

    /// <summary>A full fence on every processor that runs a thread of this process.</summary>
    public static void FullFenceProcessWide() => Interlocked.MemoryBarrierProcessWide();
}
