// The four numbers that shape a channel's region: fixed at creation, read back and validated once at open.

using System.Numerics;
using ShmIpc.Interop;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed record ChannelGeometry(long LaneCapacityBytes, int MaxProducers, int MaxGroups, int MaxParticipants)
{
    /// <summary>The geometry of a channel that is created with these options.</summary>
    public static ChannelGeometry FromOptions(ShmChannelOptions options) => new(
        options.LaneCapacityBytes ?? ShmChannelOptions.DefaultLaneCapacityBytes,
        options.MaxProducers ?? ShmChannelOptions.DefaultMaxProducers,
        options.MaxGroups ?? ShmChannelOptions.DefaultMaxGroups,
        options.MaxParticipants ?? ShmChannelOptions.DefaultMaxParticipants);

    /// <summary>The geometry that an existing region has, checked against every bound that the code relies on.</summary>
    /// <remarks>The four numbers say where everything stands, so the sections must be exactly those that they lead to. Sections of kinds
    /// that this version does not know may follow.</remarks>
    public static ChannelGeometry FromHeader(RegionHeader header)
    {
        RegionSection data = header.Section(SectionKind.LaneData);
        ChannelGeometry geometry = new(
            data.StrideBytes,
            data.Count,
            header.Section(SectionKind.Groups).Count,
            header.Section(SectionKind.Participants).Count);
        bool isSound = IsCapacity(geometry.LaneCapacityBytes)
            && geometry.MaxProducers is >= 1 and <= LaneLayout.MaxLanes
            && geometry.MaxGroups is >= 1 and <= ChannelLayout.MaxGroups
            && geometry.MaxParticipants is >= 2 and <= DoorbellLayout.MaxParticipants;
        if (!isSound)
        {
            throw RegionHeader.Refuse(
                header.Path,
                $"its geometry makes no sense: {geometry}. Possible are lanes of {LaneLayout.MinCapacityBytes} to "
                + $"{LaneLayout.MaxCapacityBytes} bytes "
                + $"(a power of two), 1 to {LaneLayout.MaxLanes} producers, 1 to {ChannelLayout.MaxGroups} groups, 2 to "
                + $"{DoorbellLayout.MaxParticipants} participants");
        }

        foreach (RegionSection expected in ChannelLayout.Blueprint(geometry, header.PayloadFormat, header.PayloadSchema).Sections)
        {
            RegionSection found = header.Section(expected.Kind);
            if (found != expected)
            {
                throw RegionHeader.Refuse(header.Path, $"it has {found}, where a channel of {geometry} has {expected}");
            }
        }

        return geometry;
    }

    /// <summary>Refuses an existing channel that differs from what the options ask for; what they leave open fits anything.</summary>
    public void Expect(ShmChannelOptions options, string path)
    {
        RegionHeader.ExpectOption(path, nameof(options.LaneCapacityBytes), LaneCapacityBytes, options.LaneCapacityBytes);
        RegionHeader.ExpectOption(path, nameof(options.MaxProducers), MaxProducers, options.MaxProducers);
        RegionHeader.ExpectOption(path, nameof(options.MaxGroups), MaxGroups, options.MaxGroups);
        RegionHeader.ExpectOption(path, nameof(options.MaxParticipants), MaxParticipants, options.MaxParticipants);
    }

    public static bool IsCapacity(long bytes) =>
        bytes is >= LaneLayout.MinCapacityBytes and <= LaneLayout.MaxCapacityBytes
        && BitOperations.IsPow2(bytes) && bytes % LinuxProcess.PageSizeBytes == 0;
}
