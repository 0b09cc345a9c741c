// Copies into mapped memory where most copies are short: up to 64 bytes in a few loads and stores, without a call.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ShmIpc.Memory;

internal static unsafe class ShortCopy
{
    /// <summary>Copies all of <paramref name="source"/> to <paramref name="destination"/>, which has room for it and does not overlap
    /// it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(ReadOnlySpan<byte> source, byte* destination)
    {
        ref byte from = ref MemoryMarshal.GetReference(source);
        nuint length = (nuint)source.Length;
        if (length - 8 > 64 - 8)
        {
            source.CopyTo(new Span<byte>(destination, source.Length)); // shorter than 8, or longer than 64
        }
        else if (length <= 16)
        {
            // First and last, which may overlap; so below.
            ulong first = Unsafe.ReadUnaligned<ulong>(ref from);
            ulong last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref from, length - 8));
            Unsafe.WriteUnaligned(destination, first);
            Unsafe.WriteUnaligned(destination + length - 8, last);
        }
        else if (length <= 32)
        {
            Vector128<byte> first = Vector128.LoadUnsafe(ref from);
            Vector128<byte> last = Vector128.LoadUnsafe(ref from, length - 16);
            first.Store(destination);
            last.Store(destination + length - 16);
        }
        else
        {
            Vector128<byte> first = Vector128.LoadUnsafe(ref from);
            Vector128<byte> second = Vector128.LoadUnsafe(ref from, 16);
            Vector128<byte> third = Vector128.LoadUnsafe(ref from, length - 32);
            Vector128<byte> last = Vector128.LoadUnsafe(ref from, length - 16);
            first.Store(destination);
            second.Store(destination + 16);
            third.Store(destination + length - 32);
            last.Store(destination + length - 16);
        }
    }
}
