// Turns a Pattern into its bytes, and bytes back into the Pattern that they are, or throws: so a torn value is noticed at its first wrong
// byte. Allocates nothing.
//
// Byte block i of 8 is Mix(number) + i; the first 8 bytes hold the number itself. Shorter values hold the low bytes of Mix(number),
// and are compared with the number that the reader passes to Matches.

using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ShmIpc.Serialization;

namespace ShmIpc.Tests.Values;

internal sealed class PatternSerializer : IPayloadSerializer<Pattern>
{
    public string Format => "pattern";

    public void Serialize(IBufferWriter<byte> destination, Pattern value)
    {
        Fill(destination.GetSpan(value.Length)[..value.Length], value.Number);
        destination.Advance(value.Length);
    }

    public Pattern Deserialize(ReadOnlyMemory<byte> payload)
    {
        ReadOnlySpan<byte> bytes = payload.Span;
        if (bytes.Length < 8)
        {
            long low = 0;
            bytes.CopyTo(MemoryMarshal.AsBytes(new Span<long>(ref low)));
            return new Pattern(low, bytes.Length);
        }

        long number = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        ulong first = Mix(number);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes[8..]);
        for (int i = 0; i < words.Length; i++)
        {
            if (words[i] != first + (ulong)i)
            {
                throw new InvalidDataException($"torn: value {number} of {bytes.Length} bytes is wrong from byte {8 + (i * 8)} on");
            }
        }

        for (int i = 8 + (words.Length * 8); i < bytes.Length; i++)
        {
            if (bytes[i] != (byte)first)
            {
                throw new InvalidDataException($"torn: value {number} of {bytes.Length} bytes is wrong in byte {i}");
            }
        }

        return new Pattern(number, bytes.Length);
    }

    /// <summary>True when <paramref name="read"/>, decoded from a whole value, is what was written as <paramref name="number"/>.</summary>
    public static bool Matches(Pattern read, long number) => read.Length >= 8
        ? read.Number == number
        : read.Number == (long)(Mix(number) & ((1UL << (read.Length * 8)) - 1));

    private static void Fill(Span<byte> bytes, long number)
    {
        ulong first = Mix(number);
        if (bytes.Length < 8)
        {
            MemoryMarshal.AsBytes(new Span<ulong>(ref first))[..bytes.Length].CopyTo(bytes);
            return;
        }

        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes[8..]);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = first + (ulong)i;
        }

        bytes[(8 + (words.Length * 8))..].Fill((byte)first);
    }

    private static ulong Mix(long number)
    {
        ulong z = (ulong)number + 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
