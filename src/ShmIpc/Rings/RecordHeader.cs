// The one word in front of every message, and the only word by which a message becomes visible.
//
//   bit  63 62........56 55......................32 31..............................0
//       +--+------------+--------------------------+--------------------------------+
//       |P | flags      | sequence (24 bits)       | payload length in bytes        |
//       +--+------------+--------------------------+--------------------------------+
//
//   P         present: 1 in every header; a word of 0 is the terminator ("nothing here yet")
//   flags     which extension words follow, in flag order, before the payload (below)
//   sequence  the low 24 bits of the lane's message number: a reader that finds another one than it expects has found corruption
//   length    payload bytes only; the record (header + extensions + payload) is padded to a multiple of 8
//
// docs/memory-layout.md shows the same; RecordHeaderTests guards it.

using System.Runtime.CompilerServices;

namespace ShmIpc.Rings;

internal static class RecordHeader
{
    public const int Bytes = 8;
    public const int AlignmentBytes = 8;
    public const ulong Present = 1UL << 63;
    public const int FlagsShift = 56;
    public const int SequenceShift = 32;
    public const ulong SequenceMask = 0xFF_FFFF;

    // Extensions. Producers write the checksum (RecordChecksum.cs) where the channel has it; the others are reserved, and readers step
    // over them.
    public const ulong TimestampFlag = 1UL << FlagsShift;          // 8 bytes: CLOCK_MONOTONIC nanoseconds
    public const ulong TraceContextFlag = 1UL << (FlagsShift + 1); // 32 bytes: W3C trace id (16), span id (8), flags (1), zero (7)
    public const ulong ChecksumFlag = 1UL << (FlagsShift + 2);     // 8 bytes: CRC32C over header, payload, position and region id
    public const ulong DeliveryKeyFlag = 1UL << (FlagsShift + 3);  // 8 bytes: hash of the delivery key
    public const ulong Extensions = 0xFUL << FlagsShift;
    private const ulong UnknownFlags = 0x7UL << (FlagsShift + 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Encode(long sequence, int payloadBytes) =>
        Present | (((ulong)sequence & SequenceMask) << SequenceShift) | (uint)payloadBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PayloadBytes(ulong header) => (uint)header;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Sequence24(ulong header) => (header >> SequenceShift) & SequenceMask;

    /// <summary>Bytes of the extension words that <paramref name="header"/> announces.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ExtensionBytes(ulong header)
    {
        return (header & Extensions) == 0 ? 0 : SumExtensions(header);
    }

    /// <summary>Bytes of the whole record, padding included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long RecordBytes(long extensionBytes, long payloadBytes) =>
        (Bytes + extensionBytes + payloadBytes + (AlignmentBytes - 1)) & ~(long)(AlignmentBytes - 1);

    /// <summary>True when a reader may act on the word: present, no unknown flag, the sequence it expects, and a length that fits the
    /// lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsValid(ulong header, long expectedSequence, long maxPayloadBytes) =>
        (header & (Present | UnknownFlags)) == Present
        && Sequence24(header) == ((ulong)expectedSequence & SequenceMask)
        && PayloadBytes(header) + ExtensionBytes(header) <= maxPayloadBytes;

    /// <summary>As <see cref="IsValid"/>, for a record without extensions alone: false says nothing about others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPlain(ulong header, long expectedSequence, long maxPayloadBytes) =>
        header >> SequenceShift == ((Present >> SequenceShift) | ((ulong)expectedSequence & SequenceMask))
        && PayloadBytes(header) <= maxPayloadBytes;

    private static int SumExtensions(ulong header) =>
        ((header & TimestampFlag) != 0 ? 8 : 0)
        + ((header & TraceContextFlag) != 0 ? 32 : 0)
        + ((header & ChecksumFlag) != 0 ? 8 : 0)
        + ((header & DeliveryKeyFlag) != 0 ? 8 : 0);
}
