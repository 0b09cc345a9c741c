// A lane on plain memory, between guard pages: its control block, a gate of a few groups, and its mirrored data. What the channel does
// for a lane (joining, leaving) is done here in the same order, so that the ring algorithm is tested without files.

using ShmIpc.Memory;
using ShmIpc.Rings;

namespace ShmIpc.Tests.Rings;

internal sealed class LaneMemory : IDisposable
{
    private const int VersionOffset = 1024;
    private const int ActiveOffset = 1152;
    private const int CursorsOffset = 2048;
    private const int ControlBytes = 8192;
    private readonly MemoryMapping _data;
    private readonly MemoryMapping _control;
    private readonly int _groups;

    public LaneMemory(int capacityBytes = 4096, int groups = 8)
    {
        _groups = groups;
        _data = MemoryMapping.MapAnonymous(capacityBytes, new MemoryMappingOptions { Mirrored = true });
        _control = MemoryMapping.MapAnonymous(ControlBytes);
    }

    public long CapacityBytes => _data.LengthBytes;

    public MappedSpan Data => _data.Whole;

    public LaneControl Control => new(_control.Whole.Slice(0, LaneLayout.ControlBytes));

    public LaneGate Gate => new(
        _control.Whole.Slice(VersionOffset, 8), _control.Whole.Slice(ActiveOffset, 8),
        _control.Whole.Slice(CursorsOffset, (long)_groups * LaneGate.CursorStrideBytes));

    /// <summary>One lap of the data.</summary>
    public Span<byte> Bytes => _data.GetSpan(0, (int)CapacityBytes);

    public MappedSpan CommittedCell => _control.Whole.Slice(LaneLayout.CommittedOffset, PositionCell.Bytes);

    public MappedSpan FloorCell => _control.Whole.Slice(LaneLayout.FloorOffset, PositionCell.Bytes);

    /// <summary>A group's cursor word, and what stands behind it.</summary>
    public MappedSpan CursorOf(int group) =>
        _control.Whole.Slice(CursorsOffset + ((long)group * LaneGate.CursorStrideBytes), LaneGate.CursorStrideBytes);

    public ref ulong HeaderAt(long position) => ref Data.UInt64(position & (CapacityBytes - 1));

    public LaneWriter CreateWriter() => new(Control, Data, Gate);

    /// <summary>As on a channel that drops the oldest.</summary>
    public LaneWriter CreateUngatedWriter() => new(Control, Data, Gate, isGated: false);

    /// <summary>A reader that holds nobody back, from the floor; with a group it stores that group's cursor.</summary>
    public LaneReader Observe(int? group = null, (long Position, long Sequence)? start = null)
    {
        (long position, long sequence) = start ?? Control.Floor.Read();
        MappedSpan cursor = group is { } number
            ? _control.Whole.Slice(CursorsOffset + ((long)number * LaneGate.CursorStrideBytes), 8)
            : default;
        return new LaneReader(Data, cursor, position, sequence, overrunBy: Control);
    }

    /// <summary>As GroupTable.Join does it.</summary>
    public LaneReader Join(int group)
    {
        (long Position, long Sequence) start = Control.Floor.Read();
        Atomics.Release(ref Gate.Cursor(group), (ulong)start.Position);
        Atomics.Or(ref Gate.Active, 1UL << group);
        RaiseVersion();
        (long Position, long Sequence) floor = Control.Floor.Read();
        if (floor.Position > start.Position)
        {
            start = floor;
            Atomics.Release(ref Gate.Cursor(group), (ulong)floor.Position);
        }

        return ReaderAt(group, start.Position, start.Sequence);
    }

    public LaneReader ReaderAt(int group, long position, long sequence) =>
        new(Data, _control.Whole.Slice(CursorsOffset + ((long)group * LaneGate.CursorStrideBytes), 8), position, sequence);

    public void Leave(int group)
    {
        Atomics.And(ref Gate.Active, ~(1UL << group));
        RaiseVersion();
    }

    /// <summary>The memory as it is at this instant: what a successor of a producer that dies now finds.</summary>
    public LaneMemory Copy()
    {
        LaneMemory copy = new((int)CapacityBytes, _groups);
        Bytes.CopyTo(copy.Bytes);
        _control.GetSpan(0, ControlBytes).CopyTo(copy._control.GetSpan(0, ControlBytes));
        return copy;
    }

    /// <summary>Fills everything but the groups' words with zeros.</summary>
    public void Clear()
    {
        Bytes.Clear();
        _control.GetSpan(0, ControlBytes).Clear();
    }

    public void Dispose()
    {
        _data.Dispose();
        _control.Dispose();
    }

    private void RaiseVersion()
    {
        Atomics.Increment(ref Gate.Version);
        Atomics.FullFence();
    }
}
