// A bounded window on mapped memory: the one way in which Rings, Waiting, Regions and Channels reach shared words.
// It checks every offset against its own length, and hands out ordinary refs and spans, so that those folders need no `unsafe`.
// It owns nothing: the MemoryMapping it came from must outlive it (whoever stores one also holds a reference on that mapping).

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ShmIpc.Memory;

internal readonly unsafe struct MappedSpan
{
    private readonly byte* _start;

    public MappedSpan(void* start, long lengthBytes)
    {
        _start = (byte*)start;
        LengthBytes = lengthBytes;
    }

    public long LengthBytes { get; }

    /// <summary>The address of the first byte, even where there is none.</summary>
    public nint Start => (nint)_start;

    /// <summary>The address of a byte, for system calls.</summary>
    public nint Address(long offset)
    {
        Check(offset, 1);
        return (nint)(_start + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref ulong UInt64(long offset)
    {
        Check(offset, sizeof(ulong));
        return ref *(ulong*)(_start + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref uint UInt32(long offset)
    {
        Check(offset, sizeof(uint));
        return ref *(uint*)(_start + offset);
    }

    /// <summary>True when a bit is set in one of four words in a row, each loaded with acquire.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAnySetInFourWords(long offset)
    {
        Check(offset, 4 * sizeof(ulong));
        ref ulong words = ref *(ulong*)(_start + offset);
        return (Atomics.Acquire(ref words) | Atomics.Acquire(ref Unsafe.Add(ref words, 1))
            | Atomics.Acquire(ref Unsafe.Add(ref words, 2)) | Atomics.Acquire(ref Unsafe.Add(ref words, 3))) != 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Bytes(long offset, int lengthBytes)
    {
        Check(offset, lengthBytes);
        return new Span<byte>(_start + offset, lengthBytes);
    }

    public MappedSpan Slice(long offset, long lengthBytes)
    {
        Check(offset, lengthBytes);
        return new MappedSpan(_start + offset, lengthBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Check(long offset, long lengthBytes)
    {
        if ((ulong)offset > (ulong)LengthBytes || (ulong)lengthBytes > (ulong)(LengthBytes - offset))
        {
            ThrowOutside(offset, lengthBytes);
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ThrowOutside(long offset, long lengthBytes) => throw RangeError(offset, lengthBytes, LengthBytes);

    /// <summary>What was asked for, and what there is.</summary>
    internal static ArgumentOutOfRangeException RangeError(long offset, long lengthBytes, long mappedBytes) => new(
        nameof(offset),
        $"{lengthBytes} byte(s) from offset {offset} on were asked for, and {mappedBytes} byte(s) are mapped: both numbers are at least " +
        $"0, and their sum at most {mappedBytes}.");
}
