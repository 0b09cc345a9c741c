// One entry of a region's section table.

namespace ShmIpc.Regions;

internal enum SectionKind : uint
{
    Participants = 1,
    Doorbells = 2,
    ChannelControl = 3,
    LaneControls = 4,
    Groups = 5,
    Cursors = 6,
    LaneData = 7,
    Value = 8,
}

/// <summary>A fixed part of a region.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Count">Number of its elements.</param>
/// <param name="Offset">Bytes from the start of the region.</param>
/// <param name="LengthBytes">Length of the whole section.</param>
/// <param name="StrideBytes">Bytes from one element to the next.</param>
internal readonly record struct RegionSection(SectionKind Kind, int Count, long Offset, long LengthBytes, long StrideBytes)
{
    /// <summary>The first byte behind the section.</summary>
    public long End => Offset + LengthBytes;
}
