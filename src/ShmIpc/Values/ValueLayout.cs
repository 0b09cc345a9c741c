// How a shared value's region is divided, and the words of its value section. No other file knows an offset.
//
//   section        elements           bytes each
//   Participants   max participants   256          ParticipantLayout.cs; the writer, and every object that waits
//   Doorbells      1                  16640        DoorbellLayout.cs
//   Value          1                  256 + 4 x B  below
//
//   Value section:
//      0  owner    u64  stamp of the writer, 0 = nobody
//    128  version  u64  how many values were ever written; value v stands in buffer v mod 4
//    256  buffer 0, 1, 2, 3: B bytes each, a multiple of 128
//
//   Buffer:
//      0  version  u64  of the value that it holds, or that is being written to it; 0 = none
//      8  length   u32  bytes of that value
//     12  zero
//     16  the value, up to max value bytes
//
// Settings of the region: word 0 = max value bytes.

using ShmIpc.Interop;
using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Values;

internal static class ValueLayout
{
    public const int OwnerOffset = 0;
    public const int VersionOffset = 128;
    public const int BuffersOffset = 256;
    public const int Buffers = 4;

    public const int BufferVersionOffset = 0;
    public const int BufferLengthOffset = 8;
    public const int BufferValueOffset = 16;

    public const int MaxValueBytesSetting = 0;
    public const int MaxValueBytes = 64 * 1024 * 1024;

    public static long BufferBytes(int maxValueBytes) =>
        RegionBlueprint.Align(BufferValueOffset + (long)maxValueBytes, RegionLayout.SectionAlignmentBytes);

    public static RegionBlueprint Blueprint(ValueGeometry geometry, string payloadFormat, ulong payloadSchema)
    {
        List<RegionSection> sections = [];
        RegionBlueprint.Append(sections, SectionKind.Participants, geometry.MaxParticipants, ParticipantLayout.SlotBytes);
        RegionBlueprint.Append(sections, SectionKind.Doorbells, 1, DoorbellLayout.SectionBytes);
        RegionBlueprint.Append(sections, SectionKind.Value, 1, BuffersOffset + (Buffers * BufferBytes(geometry.MaxValueBytes)));
        long totalBytes = RegionBlueprint.Align(sections[^1].End, LinuxProcess.PageSizeBytes);
        return new RegionBlueprint
        {
            Kind = RegionKind.Value,
            PayloadFormat = payloadFormat,
            PayloadSchema = payloadSchema,
            Settings = [(ulong)geometry.MaxValueBytes],
            Sections = sections,
            ControlBytes = totalBytes,
            TotalBytes = totalBytes,
            NeededBytes = totalBytes,
            SizeOption = nameof(SharedValueOptions.MaxValueBytes),
        };
    }
}
