using System.Reflection;
using ShmIpc.Channels;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Values;
using ShmIpc.Waiting;
using Xunit;

namespace ShmIpc.Tests.Layout;

/// <summary>Guards what processes of different builds agree on. The numbers stand here a second time, on purpose: whoever changes one in
/// the library changes what other processes read, and has to raise the version and update the document along with this file.</summary>
public sealed class LayoutTests
{
    private const string Changed = "the layout changed: raise RegionLayout.Major/Minor and update docs/memory-layout.md";

    private static readonly Dictionary<Type, Dictionary<string, object>> _expected = new()
    {
        [typeof(RegionLayout)] = new()
        {
            ["Magic"] = 0x0A43_5049_4D48_5389UL,
            ["Major"] = (ushort)2,
            ["Minor"] = (ushort)0,
            ["EndianMark"] = 0x0102_0304u,
            ["HeaderBytes"] = 4096,
            ["MagicOffset"] = 0,
            ["MajorOffset"] = 8,
            ["MinorOffset"] = 10,
            ["EndianOffset"] = 12,
            ["HeaderBytesOffset"] = 16,
            ["PageBytesOffset"] = 20,
            ["TotalBytesOffset"] = 24,
            ["RegionIdOffset"] = 32,
            ["BootIdOffset"] = 48,
            ["CreatorPidOffset"] = 64,
            ["CreatorUidOffset"] = 68,
            ["CreatedOffset"] = 72,
            ["KindOffset"] = 80,
            ["SectionCountOffset"] = 84,
            ["SchemaOffset"] = 88,
            ["FormatOffset"] = 96,
            ["FormatBytes"] = 160,
            ["SectionTableOffset"] = 256,
            ["SectionEntryBytes"] = 32,
            ["MaxSections"] = 32,
            ["SectionAlignmentBytes"] = 128,
            ["SettingsOffset"] = 1280,
            ["MaxSettings"] = 32,
            ["CrcOffset"] = 2044,
            ["StateOffset"] = 2048,
            ["OrderedInBootOffset"] = 2056,
            ["StateInUse"] = 1u,
            ["StateDeleted"] = 2u,
        },
        [typeof(RegionLocks)] = new()
        {
            ["Groups"] = 0x3FFF_FFFF_FFFF_FFFCL,
            ["Recovery"] = 0x3FFF_FFFF_FFFF_FFFDL,
            ["Lifecycle"] = 0x3FFF_FFFF_FFFF_FFFEL,
            ["Attached"] = 0x3FFF_FFFF_FFFF_FFFFL,
            ["Participants"] = 0x4000_0000_0000_0000L,
        },
        [typeof(Stamp)] = new()
        {
            ["Bits"] = 62,
            ["MaxEpoch"] = 0x003F_FFFF_FFFF_FFFFUL,
        },
        [typeof(ParticipantLayout)] = new()
        {
            ["SlotBytes"] = 256,
            ["MaxSlots"] = 256,
            ["EpochOffset"] = 0,
            ["ProcessIdOffset"] = 8,
            ["RoleOffset"] = 12,
            ["JoinedOffset"] = 16,
            ["PlaceOffset"] = 24,
            ["HeirOffset"] = 64,
            ["IntentsOffset"] = 128,
            ["MaxIntents"] = 8,
        },
        [typeof(DoorbellLayout)] = new()
        {
            ["MaxParticipants"] = 256,
            ["ParkedWords"] = 4,
            ["ParkedReadersOffset"] = 0,
            ["ParkedWritersOffset"] = 128,
            ["DoorbellsOffset"] = 256,
            ["DoorbellStrideBytes"] = 64,
            ["SectionBytes"] = 16640,
        },
        [typeof(ChannelLayout)] = new()
        {
            ["ControlBytes"] = 4096,
            ["VersionOffset"] = 0,
            ["ActiveOffset"] = 128,
            ["LaneSetOffset"] = 256,
            ["CompletionsOffset"] = 384,
            ["ClaimantsOffset"] = 512,
            ["ClaimantsBytes"] = 32,
            ["JoinsOffset"] = 640,
            ["GroupBytes"] = 256,
            ["GroupStateOffset"] = 0,
            ["GroupKindOffset"] = 8,
            ["GroupFlagsOffset"] = 12,
            ["GroupNameOffset"] = 128,
            ["GroupNameBytes"] = 128,
            ["MaxGroups"] = 64,
            ["GroupKindExclusive"] = 1u,
            ["GroupKindShared"] = 2u,
            ["GroupDurableFlag"] = 1u,
            ["GroupCompleteFlag"] = 2u,
        },
        [typeof(ChannelSettings)] = new()
        {
            ["FullModeWord"] = 0,
            ["EvictAfterWord"] = 1,
            ["MaxEvictAfterMs"] = int.MaxValue,
        },
        [typeof(ShmFullMode)] = new()
        {
            ["Wait"] = 0,
            ["DropWrite"] = 1,
            ["DropOldest"] = 2,
        },
        [typeof(PersistenceSettings)] = new()
        {
            ["DefaultFlushPeriodMs"] = 100, // of no other process's concern
            ["MaxFlushPeriodMs"] = 3_600_000,
            ["FlushSetting"] = 2,
            ["FlushPeriodSetting"] = 3,
            ["ChecksumsSetting"] = 4,
        },
        [typeof(ShmFlushMode)] = new()
        {
            ["None"] = 0,
            ["Async"] = 1,
            ["Sync"] = 2,
        },
        [typeof(GroupEntry)] = new()
        {
            ["Free"] = 0UL,
            ["Joining"] = 1UL,
            ["Active"] = 2UL,
            ["Retiring"] = 3UL,
        },
        [typeof(LaneLayout)] = new()
        {
            ["ControlBytes"] = 1024,
            ["OwnerOffset"] = 0,
            ["CommittedOffset"] = 128,
            ["FloorOffset"] = 256,
            ["FlagsOffset"] = 384,
            ["DroppedOffset"] = 392,
            ["CompletionOffset"] = 512,
            ["FaultOffset"] = 520,
            ["ErrorTypeOffset"] = 528,
            ["ErrorTypeBytes"] = 64,
            ["ErrorMessageOffset"] = 592,
            ["ErrorMessageBytes"] = 184,
            ["JournaledOffset"] = 776,
            ["MaxLanes"] = 32,
            ["MinCapacityBytes"] = 4096L,
            ["MaxCapacityBytes"] = 536_870_912L,
            ["CommittedInterval"] = 64,
        },
        [typeof(LaneGate)] = new()
        {
            ["CursorStrideBytes"] = 64,
            ["HandedOffset"] = 8,
            ["FailoversOffset"] = 16,
            ["FailoverPositionOffset"] = 24,
        },
        [typeof(ClaimTable)] = new()
        {
            ["MaxIntents"] = 8,
        },
        [typeof(Intent)] = new()
        {
            ["MaxDeliveries"] = 7,
            ["LaneMask"] = 31,
            ["DeliveriesShift"] = 5,
            ["PositionShift"] = 8,
        },
        [typeof(PositionCell)] = new()
        {
            ["Bytes"] = 40,
            ["BufferBytes"] = 16,
            ["MaxReadAttempts"] = 10_000, // of no other process's concern
        },
        [typeof(ValueLayout)] = new()
        {
            ["OwnerOffset"] = 0,
            ["VersionOffset"] = 128,
            ["BuffersOffset"] = 256,
            ["Buffers"] = 4,
            ["BufferVersionOffset"] = 0,
            ["BufferLengthOffset"] = 8,
            ["BufferValueOffset"] = 16,
            ["MaxValueBytesSetting"] = 0,
            ["MaxValueBytes"] = 67_108_864,
        },
        [typeof(ValueCell)] = new()
        {
            ["MaxVersion"] = 0x4000_0000_0000_0000UL,
            ["MaxReadAttempts"] = 10_000, // these two are of no other process's concern
            ["StreamingBytes"] = 65_536,
        },
        [typeof(RecordHeader)] = new()
        {
            ["Bytes"] = 8,
            ["AlignmentBytes"] = 8,
            ["Present"] = 0x8000_0000_0000_0000UL,
            ["FlagsShift"] = 56,
            ["SequenceShift"] = 32,
            ["SequenceMask"] = 0xFF_FFFFUL,
            ["TimestampFlag"] = 0x0100_0000_0000_0000UL,
            ["TraceContextFlag"] = 0x0200_0000_0000_0000UL,
            ["ChecksumFlag"] = 0x0400_0000_0000_0000UL,
            ["DeliveryKeyFlag"] = 0x0800_0000_0000_0000UL,
            ["Extensions"] = 0x0F00_0000_0000_0000UL,
            ["UnknownFlags"] = 0x7000_0000_0000_0000UL,
        },
        [typeof(SectionKind)] = new()
        {
            ["Participants"] = 1u,
            ["Doorbells"] = 2u,
            ["ChannelControl"] = 3u,
            ["LaneControls"] = 4u,
            ["Groups"] = 5u,
            ["Cursors"] = 6u,
            ["LaneData"] = 7u,
            ["Value"] = 8u,
        },
        [typeof(RegionKind)] = new()
        {
            ["Channel"] = 1u,
            ["Value"] = 2u,
        },
        [typeof(ParticipantRole)] = new()
        {
            ["Producer"] = 1u,
            ["Consumer"] = 2u,
            ["Observer"] = 3u,
        },
    };

    public static TheoryData<string> Guarded => [.. _expected.Keys.Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Guarded))]
    public void Every_constant_is_as_it_was(string typeName)
    {
        (Type type, Dictionary<string, object> expected) = _expected.Single(pair => pair.Key.Name == typeName);
        SortedDictionary<string, object> found = new(StringComparer.Ordinal);
        foreach (FieldInfo field in type.GetFields(BindingFlags.Static | BindingFlags.Public |
            BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        {
            if (field.IsLiteral)
            {
                found.Add(field.Name, field.GetRawConstantValue()!);
            }
        }

        string[] differences =
        [
            .. expected.Where(pair => !found.ContainsKey(pair.Key)).Select(pair => $"{type.Name}.{pair.Key} is gone"),
            .. found.Where(pair => !expected.ContainsKey(pair.Key))
                .Select(pair => $"{type.Name}.{pair.Key} = {pair.Value} is new: add it here"),
            .. found.Where(pair => expected.TryGetValue(pair.Key, out object? value) && !value.Equals(pair.Value))
                .Select(pair => $"{type.Name}.{pair.Key} was {expected[pair.Key]} and is {pair.Value}"),
        ];
        Assert.True(differences.Length == 0, $"{Changed}. {string.Join("; ", differences)}.");
    }

    [Fact]
    public void The_sections_of_a_default_channel_stand_where_they_stood()
    {
        Assert.SkipUnless(Environment.SystemPageSize == 4096,
            $"The numbers are those of 4096-byte pages; here they have {Environment.SystemPageSize}.");
        RegionBlueprint blueprint = ChannelLayout.Blueprint(ChannelGeometry.FromOptions(new ShmChannelOptions()), "bytes", 0);
        RegionSection[] expected =
        [
            new(SectionKind.Participants, 256, 4096, 65536, 256),
            new(SectionKind.Doorbells, 1, 69632, 16640, 16640),
            new(SectionKind.ChannelControl, 1, 86272, 4096, 4096),
            new(SectionKind.LaneControls, 16, 90368, 16384, 1024),
            new(SectionKind.Groups, 64, 106752, 16384, 256),
            new(SectionKind.Cursors, 1024, 123136, 65536, 64),
            new(SectionKind.LaneData, 16, 192512, 16777216, 1048576),
        ];
        Assert.True(
            expected.SequenceEqual(blueprint.Sections),
            $"{Changed}. The sections of a default channel are now {string.Join("; ", blueprint.Sections)}");
        Assert.Equal((192512L, 16969728L), (blueprint.ControlBytes, blueprint.TotalBytes));
    }

    [Fact]
    public void The_sections_of_a_default_value_stand_where_they_stood()
    {
        Assert.SkipUnless(Environment.SystemPageSize == 4096,
            $"The numbers are those of 4096-byte pages; here they have {Environment.SystemPageSize}.");
        RegionBlueprint blueprint = ValueLayout.Blueprint(ValueGeometry.FromOptions(new SharedValueOptions()), "bytes", 0);
        RegionSection[] expected =
        [
            new(SectionKind.Participants, 64, 4096, 16384, 256),
            new(SectionKind.Doorbells, 1, 20480, 16640, 16640),
            new(SectionKind.Value, 1, 37120, 17152, 17152),
        ];
        Assert.True(
            expected.SequenceEqual(blueprint.Sections),
            $"{Changed}. The sections of a default value are now {string.Join("; ", blueprint.Sections)}");
        Assert.Equal((57344L, 57344L), (blueprint.ControlBytes, blueprint.TotalBytes));
        Assert.Equal([4096UL], blueprint.Settings);
    }

    [Fact]
    public void A_value_cell_is_an_owner_a_version_and_four_buffers()
    {
        using MemoryMapping memory = MemoryMapping.MapAnonymous(4096);
        ValueCell cell = new(memory.Whole.Slice(0, 256 + (4 * 128)), 112);
        for (int version = 1; version <= 5; version++)
        {
            cell.Write(version, new byte[] { (byte)(0x10 * version), 0x01, 0x02 });
        }

        cell.Owner = 0x507;
        (int Offset, ulong Value)[] expected =
        [
            (0, 0x507), (128, 5), (256, 4), (264, 3), (272, 0x020140), (384, 5), (392, 3), (400, 0x020150), (512, 2), (640, 3),
        ];
        Assert.All(expected, word => Assert.True(memory.Whole.UInt64(word.Offset) == word.Value,
            $"{Changed}. At {word.Offset} stands 0x{memory.Whole.UInt64(word.Offset):X}."));
    }

    [Fact]
    public void A_position_cell_is_a_version_and_two_pairs()
    {
        using MemoryMapping memory = MemoryMapping.MapAnonymous(4096);
        PositionCell cell = new(memory.Whole.Slice(0, PositionCell.Bytes));
        cell.Write(0x11, 0x22); // version 1: the second buffer
        cell.Write(0x33, 0x44); // version 2: the first
        cell.Write(0x55, 0x66);
        ulong[] words = [.. Enumerable.Range(0, 6).Select(i => memory.Whole.UInt64(i * 8))];
        Assert.True(words.AsSpan().SequenceEqual((ulong[])[3, 0x33, 0x44, 0x55, 0x66, 0]),
            $"{Changed}. A position cell holds {string.Join(", ", words)}.");
        Assert.Equal((0x55L, 0x66L), cell.Read());
    }

    [Fact]
    public void A_record_header_is_what_the_document_shows()
    {
        Assert.True(RecordHeader.Encode(0x1_2345_6789, 0x0ABC_DEF0) == 0x8045_6789_0ABC_DEF0, Changed);
        Assert.True(RecordHeader.RecordBytes(0, 0) == 8 && RecordHeader.RecordBytes(0, 1) == 16
            && RecordHeader.RecordBytes(8, 8) == 24, Changed);
        (ulong Flag, int Bytes)[] extensions = [(1UL << 56, 8), (1UL << 57, 32), (1UL << 58, 8), (1UL << 59, 8), (0xFUL << 56, 56)];
        Assert.All(extensions,
            extension => Assert.True(RecordHeader.ExtensionBytes(1UL << 63 | extension.Flag) == extension.Bytes, Changed));
        Assert.True(LaneLayout.MaxPayloadBytes(4096) == 2032, Changed);
    }

    [Fact]
    public void A_stamp_names_a_lock_that_no_other_stamp_has()
    {
        Stamp stamp = new(5, 3);
        Assert.True(stamp.Value == 0x503 && RegionLocks.Participant(stamp) == 0x4000_0000_0000_0503, Changed);
        Assert.Equal(long.MaxValue, RegionLocks.Participant(new Stamp(Stamp.MaxEpoch, 255)));
    }

    [Fact]
    public void The_checksum_is_CRC32C() => Assert.Equal(0xE306_9283u, RegionHeader.Crc32C("123456789"u8));
}
