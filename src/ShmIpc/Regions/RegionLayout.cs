// The first page of every region: what it is, who made it, and where its sections are. No other file knows an offset.
//
//      0 +-----------------------------------------------+ -.
//        | magic            u64  89 53 48 4D 49 50 43 0A |  |   (0x89 "SHMIPC" newline, in this order in memory)
//      8 | layout major u16 | minor u16 | endian u32      |  |   endian = 0x01020304 in the writer's byte order
//     16 | header bytes u32 | page bytes u32              |  |
//     24 | total bytes      u64                           |  |
//     32 | region id        16 bytes, random              |  |
//     48 | boot id          16 bytes (of the creator)     |  |
//     64 | creator pid u32  | creator uid u32             |  |  immutable: written before the region has a name,
//     72 | created          u64 unix nanoseconds          |  |  covered by the CRC
//     80 | kind u32         | section count u32           |  |
//     88 | payload schema   u64, 0 = none                 |  |
//     96 | payload format   u8 length + 159 bytes UTF-8   |  |
//    256 | section table    32 x 32 bytes:                |  |
//        |   kind u32 | count u32 | offset u64            |  |
//        |   length u64 (whole section) | stride u64      |  |
//   1280 | settings         32 x u64, by kind of region   |  |
//   1536 | zero                                           |  |
//   2044 | CRC32C of bytes 0 to 2043                      | -'
//   2048 | state            u32: 1 in use, 2 deleted      |     mutable
//   2052 | zero u32                                       |
//   2056 | in order in boot 16 bytes                      |  the boot in which the region was made, or last recovered
//   2072 | zero                                           |
//   4096 +-----------------------------------------------+
//
// Sections stand in ascending order, each kind once, each on a multiple of 128 bytes, so that no word of theirs is ever unaligned.
// Any change of an offset or a meaning raises Major (readers refuse another major); a new meaning for bytes that were zero raises Minor.

namespace ShmIpc.Regions;

internal static class RegionLayout
{
    public const ulong Magic = 0x0A43_5049_4D48_5389; // little-endian, so the bytes read 89 'S' 'H' 'M' 'I' 'P' 'C' 0A
    public const ushort Major = 2;
    public const ushort Minor = 0;
    public const uint EndianMark = 0x0102_0304;
    public const int HeaderBytes = 4096;

    public const int MagicOffset = 0;
    public const int MajorOffset = 8;
    public const int MinorOffset = 10;
    public const int EndianOffset = 12;
    public const int HeaderBytesOffset = 16;
    public const int PageBytesOffset = 20;
    public const int TotalBytesOffset = 24;
    public const int RegionIdOffset = 32;
    public const int BootIdOffset = 48;
    public const int CreatorPidOffset = 64;
    public const int CreatorUidOffset = 68;
    public const int CreatedOffset = 72;
    public const int KindOffset = 80;
    public const int SectionCountOffset = 84;
    public const int SchemaOffset = 88;
    public const int FormatOffset = 96;
    public const int FormatBytes = 160;
    public const int SectionTableOffset = 256;
    public const int SectionEntryBytes = 32;
    public const int MaxSections = 32;
    public const int SectionAlignmentBytes = 128;
    public const int SettingsOffset = 1280;
    public const int MaxSettings = 32;
    public const int CrcOffset = 2044;
    public const int StateOffset = 2048;
    public const int OrderedInBootOffset = 2056;

    public const uint StateInUse = 1;
    public const uint StateDeleted = 2;
}
