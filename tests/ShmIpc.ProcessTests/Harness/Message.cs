// The messages of the streams. Length and every byte follow from (producer, number), so a reader that knows which message must come
// next sees any loss, repetition, reordering or tear, down to the bit.
//
//   one in 16 has no bytes at all, most have up to 300, one in 8 up to MaxBytes
//   from 16 bytes on: u64 producer, u64 number, then the pattern; shorter ones: pattern only

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ShmIpc.ProcessTests.Harness;

internal static class Message
{
    public const int MaxBytes = 6000;
    private const int HeadBytes = 16;

    /// <summary>Length of a message in bytes. The first of a producer always names it.</summary>
    public static int Length(long producer, long number)
    {
        ulong random = Mix(Seed(producer, number));
        int bytes = (random & 15) switch
        {
            0 => 0,
            1 or 2 => (int)((random >> 8) % (MaxBytes + 1)),
            _ => (int)((random >> 8) % 300),
        };
        return number == 0 ? Math.Max(bytes, HeadBytes) : bytes;
    }

    public static void Fill(Span<byte> payload, long producer, long number)
    {
        ulong state = Seed(producer, number);
        if (payload.Length >= HeadBytes)
        {
            BinaryPrimitives.WriteInt64LittleEndian(payload, producer);
            BinaryPrimitives.WriteInt64LittleEndian(payload[8..], number);
            payload = payload[HeadBytes..];
        }

        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(payload))
        {
            word = state = Mix(state);
        }

        for (int i = payload.Length & ~7; i < payload.Length; i++)
        {
            payload[i] = (byte)(state = Mix(state));
        }
    }

    /// <summary>Null when the payload is that message, else what is wrong with it.</summary>
    public static string? Differs(ReadOnlySpan<byte> payload, long producer, long number)
    {
        Span<byte> expected = stackalloc byte[MaxBytes];
        expected = expected[..Length(producer, number)];
        Fill(expected, producer, number);
        if (payload.SequenceEqual(expected))
        {
            return null;
        }

        int same = payload.CommonPrefixLength(expected);
        string head = payload.Length < HeadBytes ? "" : $", and says it is {BinaryPrimitives.ReadInt64LittleEndian(payload)}/"
            + $"{BinaryPrimitives.ReadInt64LittleEndian(payload[8..])}";
        return $"expected message {producer}/{number} of {expected.Length} bytes; "
            + $"found {payload.Length} bytes, the first {same} as expected{head}";
    }

    private static ulong Seed(long producer, long number) => ((ulong)producer << 40) ^ (ulong)number ^ 0x9E37_79B9_7F4A_7C15;

    private static ulong Mix(ulong z)
    {
        z += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
