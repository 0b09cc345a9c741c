// An attachment to a channel: its region, the named words of its control part, and the mapping of its lanes. Producers, consumers and
// pending awaits each hold a reference; the memory is unmapped when the channel object was disposed and the last reference is gone.

using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed class ChannelRegion
{
    private readonly RegionFile _region;
    private readonly MappedSpan _control;
    private readonly MappedSpan _laneControls;
    private readonly MappedSpan _cursors;
    private readonly long _laneDataOffset;

    private ChannelRegion(RegionFile region, ShmChannelOptions options)
    {
        _region = region;
        Geometry = ChannelGeometry.FromHeader(region.Header);
        Settings = ChannelSettings.FromHeader(region.Header);
        Persistence = PersistenceSettings.FromHeader(region.Header);
        if (Persistence.Flush != ShmFlushMode.None && !region.IsOnDisk)
        {
            throw RegionHeader.Refuse(region.Header.Path, "it is to survive power cuts, and lies in memory (tmpfs). Somebody moved it");
        }

        Checksum = Persistence.Checksums ? new RecordChecksum(region.Header.RegionId) : default;
        Options = options;
        _control = region.Span(SectionKind.ChannelControl);
        _laneControls = region.Span(SectionKind.LaneControls);
        _cursors = region.Span(SectionKind.Cursors);
        _laneDataOffset = region.Header.Section(SectionKind.LaneData).Offset;
        Claims = new ClaimTable(
            _control.Slice(ChannelLayout.ClaimantsOffset, ChannelLayout.ClaimantsBytes),
            region.Span(SectionKind.Participants),
            ParticipantLayout.SlotBytes,
            ParticipantLayout.PlaceOffset,
            ParticipantLayout.IntentsOffset);
        MappedSpan doorbells = region.Span(SectionKind.Doorbells);
        PendingAwaits awaits = new();
        Readers = WaitingRoom.ForReaders(doorbells, awaits);
        Writers = WaitingRoom.ForWriters(doorbells, awaits);
        Groups = new GroupTable(this, region.Span(SectionKind.Groups), Geometry.MaxGroups);
    }

    public string Name => _region.Name;

    public ChannelGeometry Geometry { get; }

    public ChannelSettings Settings { get; }

    public PersistenceSettings Persistence { get; }

    /// <summary>The checksums of the channel's records, or none.</summary>
    public RecordChecksum Checksum { get; }

    /// <summary>True when lanes can be made durable: on a disk, and with checksums.</summary>
    public bool HasJournals => _region.IsOnDisk && Persistence.Checksums;

    public ShmChannelOptions Options { get; }

    public ParticipantTable Participants => _region.Participants;

    public GroupTable Groups { get; }

    /// <summary>What the members of shared groups hold.</summary>
    public ClaimTable Claims { get; }

    public WaitingRoom Readers { get; }

    public WaitingRoom Writers { get; }

    public ref ulong Version => ref _control.UInt64(ChannelLayout.VersionOffset);

    public ref ulong ActiveGroups => ref _control.UInt64(ChannelLayout.ActiveOffset);

    public ref ulong LaneSet => ref _control.UInt64(ChannelLayout.LaneSetOffset);

    public ref ulong Joins => ref _control.UInt64(ChannelLayout.JoinsOffset);

    public ref ulong Completions => ref _control.UInt64(ChannelLayout.CompletionsOffset);

    public int MaxMessageBytes => (int)LaneLayout.MaxPayloadBytes(Geometry.LaneCapacityBytes) - Checksum.ExtensionBytes;

    /// <summary>Opens or creates, as <paramref name="mode"/> says.</summary>
    public static ChannelRegion Attach(
        string name, string payloadFormat, ulong payloadSchema, ShmChannelOptions? options, ChannelOpenMode mode)
    {
        LinuxPlatform.Require();
        options ??= new ShmChannelOptions();
        options.Validate();
        RegionHeader.CheckFormat(payloadFormat);
        RegionFile region = mode switch
        {
            ChannelOpenMode.Create => RegionFile.Create(name, options.Root, Blueprint(), Initialize, Check, Recover),
            ChannelOpenMode.Open => RegionFile.Open(name, options.Root, Check, Recover),
            _ => RegionFile.CreateOrOpen(name, options.Root, Blueprint, Initialize, Check, Recover),
        };
        try
        {
            ChannelRegion attached = new(region, options);
            RequiredGroups.Expect(attached.Groups, options.RequiredGroups, region.Header.Path);
            return attached;
        }
        catch
        {
            region.Dispose();
            throw;
        }

        RegionBlueprint Blueprint() => ChannelLayout.Blueprint(
            ChannelGeometry.FromOptions(options),
            payloadFormat,
            payloadSchema,
            ChannelSettings.FromOptions(options),
            PersistenceSettings.FromOptions(options));

        void Check(RegionHeader header)
        {
            header.Expect(RegionKind.Channel, payloadFormat, payloadSchema);
            ChannelGeometry.FromHeader(header).Expect(options, header.Path);
            ChannelSettings.FromHeader(header).Expect(options, header.Path);
            PersistenceSettings.FromHeader(header).Expect(options, header.Path);
        }

        void Recover(RegionFile found)
        {
            if (found.IsOnDisk)
            {
                ChannelRecovery.Run(found, options.Disk);
            }
        }

        // A new region is all zeros, which is every other word's first value.
        void Initialize(MappedSpan control) => RequiredGroups.Make(control, ChannelGeometry.FromOptions(options), options.RequiredGroups);
    }

    public LaneControl Lane(int lane) =>
        new(_laneControls.Slice((long)lane * LaneLayout.ControlBytes, LaneLayout.ControlBytes));

    public LaneGate Gate(int lane) => new(
        _control.Slice(ChannelLayout.VersionOffset, sizeof(ulong)),
        _control.Slice(ChannelLayout.ActiveOffset, sizeof(ulong)),
        _cursors.Slice(
            ChannelLayout.CursorOffset(lane, 0, Geometry.MaxGroups), (long)Geometry.MaxGroups * LaneGate.CursorStrideBytes),
        Claims,
        lane);

    /// <summary>A group's cursor for a lane, and the words that belong to it.</summary>
    public MappedSpan CursorEntry(int lane, int group) =>
        _cursors.Slice(ChannelLayout.CursorOffset(lane, group, Geometry.MaxGroups), LaneGate.CursorStrideBytes);

    /// <summary>Position and number of the first message of a lane that is not there yet.</summary>
    /// <param name="lane">The lane; it may never have been taken.</param>
    /// <param name="start">A record's position and number. At or above it nothing can be overwritten now, unless this is a channel that
    /// drops the oldest.</param>
    public (long Position, long Sequence) LaneEnd(int lane, (long Position, long Sequence) start)
    {
        if ((AllocatedLanes() >> lane & 1) == 0)
        {
            return start;
        }

        using MemoryMapping data = MapLane(lane, MemoryAccess.ReadOnly);
        LaneScan scan = new(data.Whole, Lane(lane));
        return Settings.FullMode == ShmFullMode.DropOldest ? scan.EndOverFloor() : scan.End(start.Position, start.Sequence);
    }

    /// <summary>Makes every producer that is at a refresh start over.</summary>
    public void RaiseVersion()
    {
        Atomics.Increment(ref Version);
        Atomics.FullFence();
    }

    /// <summary>Takes one of <see cref="RegionLocks"/>; threads of this attachment do not exclude each other.</summary>
    public bool TryLock(long offset) => _region.TryLock(offset);

    public void Unlock(long offset) => _region.Unlock(offset);

    /// <summary>Maps a lane's data, mirrored. With write access its space is allocated first.</summary>
    public MemoryMapping MapLane(int lane, MemoryAccess access) => MemoryMapping.MapFile(
        _region.File,
        _laneDataOffset + (lane * Geometry.LaneCapacityBytes),
        Geometry.LaneCapacityBytes,
        new MemoryMappingOptions { Access = access, Mirrored = true, ExcludeFromCoreDumps = true });

    /// <summary>Takes a lane: a free one, or one whose producer died, which is then continued where it stopped.</summary>
    /// <exception cref="ShmLimitException">Every lane belongs to a living producer.</exception>
    public int TakeLane(Stamp stamp)
    {
        for (int lane = 0; lane < Geometry.MaxProducers; lane++)
        {
            ref ulong owner = ref Lane(lane).Owner;
            ulong holder = Atomics.Acquire(ref owner);
            if ((holder == 0 || !Participants.IsAlive(new Stamp(holder))) && Atomics.CompareExchange(ref owner, holder, stamp.Value))
            {
                Atomics.Increment(ref Joins);
                return lane;
            }
        }

        throw NoFreeLane();
    }

    /// <summary>Deletes a named group that has no living member.</summary>
    public bool DeleteGroup(string name)
    {
        ThrowIfDeleted();
        Stamp self = Participants.Join(ParticipantRole.Observer); // whoever finds us dead halfway goes on
        try
        {
            return Groups.Delete(name, self);
        }
        finally
        {
            Participants.Leave(self);
        }
    }

    /// <summary>True when some lane could be taken now. Asks only.</summary>
    public bool HasFreeLane()
    {
        for (int lane = 0; lane < Geometry.MaxProducers; lane++)
        {
            ulong holder = Atomics.Acquire(ref Lane(lane).Owner);
            if (holder == 0 || !Participants.IsAlive(new Stamp(holder)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Why there is no lane for another producer.</summary>
    public ShmLimitException NoFreeLane() => new(
        $"All {Geometry.MaxProducers} lanes of the channel {Name} belong to living producers (processes {LaneHolders()}). "
        + "Dispose one, or create the channel with a larger MaxProducers.");

    /// <summary>Gives a lane back.</summary>
    public void GiveBackLane(int lane, Stamp stamp) => Atomics.CompareExchange(ref Lane(lane).Owner, stamp.Value, 0);

    /// <summary>Tells the readers that a lane has been allocated.</summary>
    public void AnnounceLane(int lane)
    {
        Atomics.Or(ref LaneSet, 1UL << lane); // SYNC: lane allocated, visible to readers
        TryWakeReaders();
        if (_region.IsOnDisk)
        {
            FlushControl(SectionKind.ChannelControl, ChannelLayout.LaneSetOffset, sizeof(ulong)); // else a recovery would skip the lane
        }
    }

    /// <summary>Returns when a range of a lane's data is durable.</summary>
    public void FlushLane(int lane, MemoryMapping data, long offset, long lengthBytes) =>
        Options.Disk.Flush(data, _laneDataOffset + (lane * Geometry.LaneCapacityBytes), offset, lengthBytes);

    /// <summary>Returns when a lane's control block is durable.</summary>
    public void FlushLaneControl(int lane) =>
        FlushControl(SectionKind.LaneControls, (long)lane * LaneLayout.ControlBytes, LaneLayout.ControlBytes);

    /// <summary>Returns when the groups, and where they stand, are as durable as the channel promises for messages.</summary>
    public void FlushGroups()
    {
        if (Persistence.Flush != ShmFlushMode.None)
        {
            Options.Disk.Flush(_region.Control, 0, 0, _region.Control.LengthBytes);
        }
    }

    /// <summary>The refusal to flush a channel that has no journals.</summary>
    public InvalidOperationException NotDurable() => new(
        $"The channel {Name} cannot be made durable: that takes a Root on a disk (ext4, xfs or btrfs) and checksums (options Flush or "
        + "Checksums when it is created).");

    /// <summary>Returns when the channel's name is durable.</summary>
    public void SyncName() => Options.Disk.SyncName(_region);

    /// <summary>Lanes that readers may map: what the word says, as far as this channel has such lanes.</summary>
    public ulong AllocatedLanes() => Atomics.Acquire(ref LaneSet) & ((1UL << Geometry.MaxProducers) - 1);

    /// <summary>Messages that producers have dropped for want of room, over all lanes, since the channel was created.</summary>
    public long DroppedMessages()
    {
        ulong dropped = 0;
        for (int lane = 0; lane < Geometry.MaxProducers; lane++)
        {
            dropped += Atomics.Acquire(ref Lane(lane).Dropped);
        }

        return (long)dropped;
    }

    /// <summary>Where the oldest message of every lane stands.</summary>
    public (long Position, long Sequence)[] Floors() =>
        [.. Enumerable.Range(0, Geometry.MaxProducers).Select(lane => Lane(lane).Floor.Read())];

    /// <summary>True when some producer has completed and no living producer is left that has not.</summary>
    public bool IsCompleted()
    {
        // A producer that takes a lane behind the scan, and another that completes in front of it: each was there when the other was not.
        ulong joins = Atomics.Acquire(ref Joins);
        if (Atomics.Acquire(ref Completions) == 0)
        {
            return false;
        }

        for (int lane = 0; lane < Geometry.MaxProducers; lane++)
        {
            ulong owner = Atomics.Acquire(ref Lane(lane).Owner);
            if (owner != 0 && Atomics.Acquire(ref Lane(lane).Completion) != owner && Participants.IsAlive(new Stamp(owner)))
            {
                return false;
            }
        }

        return Atomics.Acquire(ref Joins) == joins;
    }

    /// <summary>The error that one of the completed producers left, or null.</summary>
    public ShmRemoteException? CompletionError()
    {
        for (int lane = 0; lane < Geometry.MaxProducers; lane++)
        {
            if (Lane(lane).ReadError() is { } error)
            {
                return error;
            }
        }

        return null;
    }

    /// <exception cref="ShmRegionDeletedException">Somebody deleted the channel.</exception>
    public void ThrowIfDeleted() => _region.ThrowIfDeleted();

    /// <summary>Wakes the readers that sleep. In a deleted channel everybody counts as asleep, and learns of it here.</summary>
    /// <exception cref="ShmRegionDeletedException">Somebody deleted the channel.</exception>
    public void WakeReaders()
    {
        ThrowIfDeleted();
        Readers.WakeAll();
    }

    /// <summary>Wakes the producers that sleep.</summary>
    /// <inheritdoc cref="WakeReaders" path="/exception"/>
    public void WakeWriters()
    {
        ThrowIfDeleted();
        Writers.WakeAll();
    }

    /// <summary>Wakes the readers that sleep, from where a deleted channel is no reason to fail.</summary>
    public void TryWakeReaders() => TryWake(Readers);

    /// <summary>Wakes the producers that sleep, from where a deleted channel is no reason to fail.</summary>
    public void TryWakeWriters() => TryWake(Writers);

    /// <inheritdoc cref="RegionFile.AddReference"/>
    public void AddReference() => _region.AddReference();

    /// <inheritdoc cref="RegionFile.ReleaseReference"/>
    public void ReleaseReference() => _region.ReleaseReference();

    private void FlushControl(SectionKind section, long offset, long lengthBytes) =>
        Options.Disk.Flush(_region.Control, 0, _region.Header.Section(section).Offset + offset, lengthBytes);

    private void TryWake(WaitingRoom room)
    {
        if (room.AnyParked && !_region.IsDeleted)
        {
            room.WakeAll();
        }
    }

    private string LaneHolders() => string.Join(
        ", ",
        Enumerable.Range(0, Geometry.MaxProducers)
            .Select(lane => Participants.ProcessId(new Stamp(Atomics.Acquire(ref Lane(lane).Owner)))));
}
