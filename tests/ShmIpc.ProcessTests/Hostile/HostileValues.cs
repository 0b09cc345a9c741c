// The values that a hostile peer writes: bounds, their neighbours, and what looks right but belongs somewhere else.

using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class HostileValues(
    MappedSpan bytes, long capacityBytes, IReadOnlyList<long> positions, IReadOnlyList<long> epochs)
{
    private static readonly long[] _steps =
    [
        0, 1, -1, 4, 8, -8, 16, -16, 24, 64, -64, 1 << 24, -(1 << 24), (1 << 24) + 1, (1 << 24) - 1, 1L << 27, -(1L << 27), 1L << 32,
        1L << 40, 1L << 53, 1L << 55, 1L << 62,
    ];

    private static readonly ulong[] _bounds =
    [
        0, 1, 2, 7, 8, 255, 256, 4095, 4096, 1 << 16, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, 1UL << 40, 1UL << 53,
        (1UL << 54) - 1, 1UL << 54, 1UL << 62, (1UL << 62) - 1, (1UL << 62) + 1, long.MaxValue, 1UL << 63, (1UL << 63) | 1,
        ulong.MaxValue, ulong.MaxValue - 7,
    ];

    private readonly MappedSpan _bytes = bytes;
    private readonly long _capacityBytes = capacityBytes;
    private readonly IReadOnlyList<long> _positions = positions;
    private readonly IReadOnlyList<long> _epochs = epochs;

    /// <summary>Where choices come from.</summary>
    public Random Random { get; set; } = new(0);

    public ulong Number() => Random.Next(4) == 0
        ? (ulong)Random.NextInt64(long.MinValue, long.MaxValue)
        : _bounds[Random.Next(_bounds.Length)];

    /// <summary>A neighbour of what stands there, or a bound.</summary>
    public ulong Near(ulong present) => Random.Next(3) == 0 ? Number() : present + (ulong)_steps[Random.Next(_steps.Length)];

    /// <summary>A position of somebody's, shifted by a little, or by a lap.</summary>
    public long Position()
    {
        if (Random.Next(4) == 0)
        {
            return (long)Number();
        }

        long position = (long)_bytes.UInt64(_positions[Random.Next(_positions.Count)]);
        long laps = Random.Next(4) == 0 ? (Random.Next(5) - 2) * _capacityBytes : 0;
        return position + laps + _steps[Random.Next(_steps.Length)];
    }

    /// <summary>Somebody's, living or dead, or nobody's.</summary>
    public ulong Stamp()
    {
        int slot = Random.Next(_epochs.Count);
        ulong epoch = Atomics.Acquire(ref _bytes.UInt64(_epochs[slot]));
        return Random.Next(5) switch
        {
            0 => Number() >> 2,
            1 => 0,
            2 => new Stamp(epoch + (ulong)Random.Next(3) - 1, Random.Next(256)).Value,
            _ => new Stamp(epoch, slot).Value,
        };
    }

    /// <summary>Certainly of nobody that lives.</summary>
    public ulong DeadStamp() => Random.Next(2) == 0 ? 0 : new Stamp(Regions.Stamp.MaxEpoch - (ulong)Random.Next(9), Random.Next(256)).Value;

    /// <summary>Of any lane and position.</summary>
    public ulong Intent() => Random.Next(4) == 0
        ? Number()
        : ((((ulong)Position() >> 3) + (ulong)Random.Next(2)) << 8) | (uint)Random.Next(256);

    /// <summary>A record's header, with lengths about the bounds.</summary>
    public ulong Record(ulong present)
    {
        long most = LaneLayout.MaxPayloadBytes(_capacityBytes);
        long[] lengths =
        [
            0, 1, 7, 8, 9, most - 8, most - 1, most, most + 1, most + 8, _capacityBytes - 8, _capacityBytes, 2 * _capacityBytes,
            (2 * _capacityBytes) - 8, int.MaxValue, uint.MaxValue, Random.Next((int)_capacityBytes),
        ];
        uint length = (uint)lengths[Random.Next(lengths.Length)];
        ulong flags = Random.Next(3) == 0 ? (ulong)Random.Next(128) << RecordHeader.FlagsShift : present & RecordHeader.Extensions;
        ulong sequence = Random.Next(3) switch
        {
            0 => RecordHeader.Sequence24(present),
            1 => (RecordHeader.Sequence24(present) + (ulong)_steps[Random.Next(_steps.Length)]) & RecordHeader.SequenceMask,
            _ => Sequence(),
        };
        return Random.Next(8) switch
        {
            0 => 0,
            1 => Number(),
            2 => present ^ (1UL << Random.Next(64)),
            _ => RecordHeader.Present | flags | (sequence << RecordHeader.SequenceShift) | length,
        };
    }

    private ulong Sequence()
    {
        ulong behindPosition = Atomics.Acquire(ref _bytes.UInt64(_positions[Random.Next(_positions.Count)] + 8));
        return (behindPosition + (ulong)Random.Next(3) - 1) & RecordHeader.SequenceMask;
    }
}
