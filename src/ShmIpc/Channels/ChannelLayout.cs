// How a channel's region is divided, and the words of its control section. No other file knows an offset.
//
//   section          elements                      bytes each
//   Participants     max participants              256      ParticipantLayout.cs
//   Doorbells        1                             16640    DoorbellLayout.cs
//   ChannelControl   1                             4096     below
//   LaneControls     max producers                 1024     LaneLayout.cs
//   Groups           max groups                    256      below
//   Cursors          max producers x max groups    64       [lane][group], LaneGate.cs
//   LaneData         max producers                 capacity ring data; a lane is allocated when it is first taken
//
//   ChannelControl, each word on 128 bytes of its own:
//      0  version      u64  raised by whoever joins, leaves, recovers or evicts
//    128  active       u64  bit g = the cursors of group g gate the producers
//    256  lane set     u64  bit l = lane l is allocated; bits are only ever set
//    384  completions  u64  how many producers have completed
//    512  claimants    4 x u64, bit s = slot s may hold intents of a shared group's member
//    640  joins        u64  how many producers have taken a lane, raised before they publish
//    768  zero, reserved
//
//   Group entry:
//      0  state        u64  bits 0..1: 0 free, 1 joining, 2 active, 3 retiring; bits 2..63: stamp of whoever holds it in that state
//                      active: of the active member of an exclusive group, 0 for a shared group, or when it left
//      8  kind u32 (1 exclusive, 2 shared) | flags u32 (bit 0 durable, bit 1 complete: it has been active)
//     16  zero, reserved
//    128  name         u8 length + 127 bytes UTF-8, empty for a consumer's own group

using ShmIpc.Interop;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal static class ChannelLayout
{
    public const int ControlBytes = 4096;
    public const int VersionOffset = 0;
    public const int ActiveOffset = 128;
    public const int LaneSetOffset = 256;
    public const int CompletionsOffset = 384;
    public const int ClaimantsOffset = 512;
    public const int ClaimantsBytes = 32;
    public const int JoinsOffset = 640;

    public const int GroupBytes = 256;
    public const int GroupStateOffset = 0;
    public const int GroupKindOffset = 8;
    public const int GroupFlagsOffset = 12;
    public const int GroupNameOffset = 128;
    public const int GroupNameBytes = 128;
    public const int MaxGroups = 64;
    public const uint GroupKindExclusive = 1;
    public const uint GroupKindShared = 2;
    public const uint GroupDurableFlag = 1;
    public const uint GroupCompleteFlag = 2;

    public static RegionBlueprint Blueprint(
        ChannelGeometry geometry,
        string payloadFormat,
        ulong payloadSchema,
        ChannelSettings? settings = null,
        PersistenceSettings? persistence = null)
    {
        List<RegionSection> sections = [];
        RegionBlueprint.Append(sections, SectionKind.Participants, geometry.MaxParticipants, ParticipantLayout.SlotBytes);
        RegionBlueprint.Append(sections, SectionKind.Doorbells, 1, DoorbellLayout.SectionBytes);
        RegionBlueprint.Append(sections, SectionKind.ChannelControl, 1, ControlBytes);
        RegionBlueprint.Append(sections, SectionKind.LaneControls, geometry.MaxProducers, LaneLayout.ControlBytes);
        RegionBlueprint.Append(sections, SectionKind.Groups, geometry.MaxGroups, GroupBytes);
        RegionBlueprint.Append(sections, SectionKind.Cursors, geometry.MaxProducers * geometry.MaxGroups, LaneGate.CursorStrideBytes);
        long controlBytes = RegionBlueprint.Align(sections[^1].End, LinuxProcess.PageSizeBytes);
        RegionBlueprint.Append(
            sections, SectionKind.LaneData, geometry.MaxProducers, geometry.LaneCapacityBytes, LinuxProcess.PageSizeBytes);
        ulong[] words = new ulong[RegionLayout.MaxSettings];
        settings?.WriteTo(words);
        persistence?.WriteTo(words);
        return new RegionBlueprint
        {
            Kind = RegionKind.Channel,
            PayloadFormat = payloadFormat,
            PayloadSchema = payloadSchema,
            Settings = words,
            IsDurable = persistence is { Flush: not ShmFlushMode.None },
            Sections = sections,
            ControlBytes = controlBytes,
            TotalBytes = sections[^1].End,
            NeededBytes = controlBytes + geometry.LaneCapacityBytes,
            SizeOption = nameof(ShmChannelOptions.LaneCapacityBytes),
        };
    }

    public static long CursorOffset(int lane, int group, int maxGroups) => ((long)lane * maxGroups + group) * LaneGate.CursorStrideBytes;
}
