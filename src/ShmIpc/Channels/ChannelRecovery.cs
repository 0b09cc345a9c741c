// Brings a channel on a disk in order after the machine was restarted: whatever mixture of old and new sectors a power cut left, what
// remains is a channel that nobody uses, whose lanes hold exactly what can be shown to be whole. Runs alone (RegionRecovery.cs), may be
// cut short at any instant and done again.
//
//   lanes         from the floor over records whose checksum fits; everything behind is cleared (LaneTail.cs says why). Without
//                 checksums nothing can be shown to be whole: the lane is emptied.
//   groups        durable ones stay, without members; others had members only, and go. Cursors into [floor, end]. A shared group starts at
//                 the floor: its cursor may be newer than the intents of members who had not finished.
//   participants  everybody is dead. No stamp that stands anywhere may be given out again, so all epochs go on behind the largest.

using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed class ChannelRecovery
{
    private readonly RegionFile _region;
    private readonly IRegionDisk _disk;
    private readonly ChannelGeometry _geometry;
    private readonly RecordChecksum _checksum;
    private readonly MappedSpan _laneControls;

    private ChannelRecovery(RegionFile region, IRegionDisk disk)
    {
        _region = region;
        _disk = disk;
        _geometry = ChannelGeometry.FromHeader(region.Header);
        _checksum = PersistenceSettings.FromHeader(region.Header).Checksums ? new RecordChecksum(region.Header.RegionId) : default;
        _laneControls = region.Span(SectionKind.LaneControls);
    }

    /// <exception cref="ShmCorruptionException">A lane's control block holds a floor that no producer can have left.</exception>
    public static void Run(RegionFile region, IRegionDisk disk) => new ChannelRecovery(region, disk).Run();

    private void Run()
    {
        ulong allocated = _region.Span(SectionKind.ChannelControl).UInt64(ChannelLayout.LaneSetOffset);
        for (int lane = 0; lane < _geometry.MaxProducers; lane++)
        {
            if ((allocated & (1UL << lane)) != 0)
            {
                RecoverLane(lane);
            }

            ClampCursors(lane);
        }

        RetireStamps();
        KeepDurableGroups();
        _disk.Flush(_region.Control, 0, 0, _region.Control.LengthBytes);
    }

    private LaneControl Control(int lane) => new(_laneControls.Slice((long)lane * LaneLayout.ControlBytes, LaneLayout.ControlBytes));

    private void RecoverLane(int lane)
    {
        LaneControl control = Control(lane);
        long capacityBytes = _geometry.LaneCapacityBytes;
        long offset = _region.Header.Section(SectionKind.LaneData).Offset + (lane * capacityBytes);
        using MemoryMapping data = MemoryMapping.MapFile(
            _region.File, offset, capacityBytes, new MemoryMappingOptions { Mirrored = true, ExcludeFromCoreDumps = true });
        LaneTail tail = new(data.Whole, _checksum);
        (long Position, long Sequence) floor = control.Floor.Read();
        if (!_checksum.IsOn)
        {
            (long Position, long Sequence) committed = control.Committed.Read();
            floor = committed.Position > floor.Position ? committed : floor;
        }

        if (floor.Position is < 0 or > long.MaxValue / 2 || floor.Position % RecordHeader.AlignmentBytes != 0 || floor.Sequence < 0)
        {
            throw new ShmCorruptionException(
                $"Lane {lane} of {_region.Header.Path} has its floor at {floor.Position} (message {floor.Sequence}), where none can be. "
                + "Delete the channel and create it anew.");
        }

        (long Position, long Sequence) end = _checksum.IsOn
            ? tail.FindEnd(floor.Position, floor.Sequence, floor.Position + capacityBytes - RecordHeader.Bytes)
            : floor;
        tail.ClearAll(end.Position, floor.Position + capacityBytes);
        control.Floor.Write(floor.Position, floor.Sequence);
        control.Committed.Write(end.Position, end.Sequence);
        _disk.Flush(data, offset, 0, capacityBytes);
    }

    private void ClampCursors(int lane)
    {
        MappedSpan cursors = _region.Span(SectionKind.Cursors);
        MappedSpan groups = _region.Span(SectionKind.Groups);
        long floor = Math.Max(Control(lane).Floor.Read().Position, 0); // of a lane that nobody ever took it may be anything
        long end = Math.Max(Control(lane).Committed.Read().Position, floor);
        for (int group = 0; group < _geometry.MaxGroups; group++)
        {
            uint kind = groups.UInt32(((long)group * ChannelLayout.GroupBytes) + ChannelLayout.GroupKindOffset);
            long entry = ChannelLayout.CursorOffset(lane, group, _geometry.MaxGroups);
            ref ulong cursor = ref cursors.UInt64(entry);
            ref ulong handed = ref cursors.UInt64(entry + LaneGate.HandedOffset);
            long acknowledged = kind == ChannelLayout.GroupKindShared ? floor : Math.Clamp((long)cursor, floor, end);
            Atomics.Store(ref cursor, (ulong)acknowledged);
            Atomics.Store(ref handed, (ulong)Math.Clamp((long)handed, 0, end));
        }
    }

    private void KeepDurableGroups()
    {
        MappedSpan groups = _region.Span(SectionKind.Groups);
        ulong kept = 0;
        for (int group = 0; group < _geometry.MaxGroups; group++)
        {
            GroupEntry entry = new(groups.Slice((long)group * ChannelLayout.GroupBytes, ChannelLayout.GroupBytes));
            bool isKept = GroupEntry.Phase(entry.State) == GroupEntry.Active && entry is { IsDurable: true, IsComplete: true };
            Atomics.Store(ref entry.State, isKept ? GroupEntry.Pack(GroupEntry.Active, Stamp.None) : GroupEntry.Free);
            kept |= isKept ? 1UL << group : 0;
        }

        MappedSpan control = _region.Span(SectionKind.ChannelControl);
        Atomics.Store(ref control.UInt64(ChannelLayout.ActiveOffset), kept);
        Atomics.Clear(control.Bytes(ChannelLayout.ClaimantsOffset, ChannelLayout.ClaimantsBytes));
    }

    private void RetireStamps()
    {
        ulong newest = 0;
        MappedSpan groups = _region.Span(SectionKind.Groups);
        for (int group = 0; group < _geometry.MaxGroups; group++)
        {
            See(groups.UInt64(((long)group * ChannelLayout.GroupBytes) + ChannelLayout.GroupStateOffset) >> 2);
        }

        for (int lane = 0; lane < _geometry.MaxProducers; lane++)
        {
            See(Control(lane).Owner);
            See(Control(lane).Completion);
        }

        _region.Participants.Renew(newest);

        void See(ulong stamp) => newest = Math.Max(newest, new Stamp(stamp).IsPlausible ? new Stamp(stamp).Epoch : 0);
    }
}
