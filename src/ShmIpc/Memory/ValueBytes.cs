// The bytes of a value as a span, for code outside the folders in which `unsafe` is allowed: the serializer of blittable structs copies
// with it, and looks with it where a struct's fields lie.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmIpc.Memory;

internal static class ValueBytes
{
    /// <summary>The bytes of a variable, padding included.</summary>
    public static Span<byte> Of<T>(ref T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new Span<T>(ref value));

    /// <summary>The first byte of a boxed value of any type: it stands in its box where a <see cref="StrongBox{T}"/> has its own.</summary>
    public static byte First(object boxed) => Unsafe.As<StrongBox<byte>>(boxed).Value;
}
