// The checksum of a record: CRC32C over region id, position, header and payload, in this order. The position is in it because a ring
// holds records of earlier laps that were whole once; the region id, because a new file may be given a deleted one's blocks.
// It is kept in the record's checksum extension, low 32 bits, and looked at only when somebody looks for the end of a lane.

using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmIpc.Rings;

/// <summary>How the records of a lane are checksummed; the default value: not at all.</summary>
internal readonly unsafe struct RecordChecksum
{
    private readonly uint _seed;

    public RecordChecksum(Guid regionId)
    {
        Span<byte> id = stackalloc byte[16];
        regionId.TryWriteBytes(id);
        _seed = uint.MaxValue;
        foreach (byte value in id)
        {
            _seed = BitOperations.Crc32C(_seed, value);
        }

        IsOn = true;
    }

    /// <summary>True when every record carries the extension.</summary>
    public bool IsOn { get; }

    /// <summary>Bytes that each record of the lane has between header and payload.</summary>
    public int ExtensionBytes => IsOn ? sizeof(ulong) : 0;

    public uint Compute(long position, ulong header, byte* payload, long payloadBytes)
    {
        uint crc = BitOperations.Crc32C(BitOperations.Crc32C(_seed, (ulong)position), header);
        byte* end = payload + payloadBytes;
        for (; end - payload >= sizeof(ulong); payload += sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(payload));
        }

        for (; payload < end; payload++)
        {
            crc = BitOperations.Crc32C(crc, *payload);
        }

        return ~crc;
    }

    /// <summary>True when the record that starts at <paramref name="record"/>, whose header was found to be valid, is the one that was
    /// written at this position. In a lane without checksums: always.</summary>
    public bool Fits(long position, ulong header, byte* record) =>
        !IsOn || ((header & RecordHeader.Extensions) == RecordHeader.ChecksumFlag
            && *(ulong*)(record + RecordHeader.Bytes)
                == Compute(position, header, record + RecordHeader.Bytes + sizeof(ulong), RecordHeader.PayloadBytes(header)));
}
