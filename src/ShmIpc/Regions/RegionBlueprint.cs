// What a region is to look like: given to whoever creates it, and compared with what an opener finds.

namespace ShmIpc.Regions;

internal enum RegionKind : uint
{
    Channel = 1,
    Value = 2,
}

internal sealed class RegionBlueprint
{
    public required RegionKind Kind { get; init; }

    /// <summary>Name of the payload's format, compared byte by byte at open; at most 159 bytes of UTF-8.</summary>
    public required string PayloadFormat { get; init; }

    public ulong PayloadSchema { get; init; }

    /// <summary>What the kind of region wants to know for its whole life; at most 32 words, the rest are 0.</summary>
    public IReadOnlyList<ulong> Settings { get; init; } = [];

    /// <summary>True when the region is to survive a power cut, which takes a disk.</summary>
    public bool IsDurable { get; init; }

    public required IReadOnlyList<RegionSection> Sections { get; init; }

    /// <summary>Bytes from the start that are allocated at creation and mapped by everybody; what lies behind is allocated on first
    /// use.</summary>
    public required long ControlBytes { get; init; }

    public required long TotalBytes { get; init; }

    /// <summary>Bytes that must be free at creation, so that a region that could never be used is refused at once.</summary>
    public required long NeededBytes { get; init; }

    /// <summary>Name of the option that makes the region smaller, for the refusal.</summary>
    public required string SizeOption { get; init; }

    /// <summary>Adds a section behind those that are there, or behind the header, on a boundary of
    /// <paramref name="alignmentBytes"/>.</summary>
    public static void Append(
        List<RegionSection> sections,
        SectionKind kind,
        int count,
        long strideBytes,
        long alignmentBytes = RegionLayout.SectionAlignmentBytes)
    {
        long end = sections.Count == 0 ? RegionLayout.HeaderBytes : sections[^1].End;
        sections.Add(new RegionSection(kind, count, Align(end, alignmentBytes), count * strideBytes, strideBytes));
    }

    /// <summary>The first multiple of <paramref name="alignmentBytes"/> from an offset on.</summary>
    public static long Align(long offset, long alignmentBytes) => (offset + alignmentBytes - 1) / alignmentBytes * alignmentBytes;
}
