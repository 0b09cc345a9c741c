// The running hash by which both ends of a replay know that they saw the same lines in the same order.
// CRC-32C, because processors have an instruction for it: a line of 100 bytes costs some tens of nanoseconds, so the check does not
// slow down what it checks. It finds accidents (lost, doubled, swapped, damaged lines); against somebody who means harm it is no help.
using System.Buffers.Binary;
using System.Numerics;

namespace ShmIpc.Examples.Messages;

/// <summary>A CRC-32C over lines: over each line's number, its length and its bytes, one line after the other.</summary>
public struct ReplayHash
{
    private uint _crc;

    /// <summary>The hash of all lines added so far.</summary>
    public readonly uint Value => _crc;

    /// <summary>Adds one line.</summary>
    public void Add(long number, ReadOnlySpan<byte> text)
    {
        uint crc = BitOperations.Crc32C(_crc, (ulong)number);
        crc = BitOperations.Crc32C(crc, (uint)text.Length);
        for (; text.Length >= sizeof(ulong); text = text[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(text));
        foreach (byte last in text)
            crc = BitOperations.Crc32C(crc, last);
        _crc = crc;
    }
}
