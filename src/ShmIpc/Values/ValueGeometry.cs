// The two numbers that shape a shared value's region: fixed at creation, read back and validated once at open.

using ShmIpc.Regions;

namespace ShmIpc.Values;

internal sealed record ValueGeometry(int MaxValueBytes, int MaxParticipants)
{
    /// <summary>The geometry of a value that is created with these options.</summary>
    public static ValueGeometry FromOptions(SharedValueOptions options) => new(
        options.MaxValueBytes ?? SharedValueOptions.DefaultMaxValueBytes,
        options.MaxParticipants ?? SharedValueOptions.DefaultMaxParticipants);

    /// <summary>The geometry that an existing region has, checked against every bound that the code relies on.</summary>
    public static ValueGeometry FromHeader(RegionHeader header)
    {
        ulong maxValueBytes = header.Settings[ValueLayout.MaxValueBytesSetting];
        int maxParticipants = header.Section(SectionKind.Participants).Count;
        if (maxValueBytes is < 1 or > ValueLayout.MaxValueBytes || maxParticipants is < 2 or > ParticipantLayout.MaxSlots)
        {
            throw RegionHeader.Refuse(
                header.Path,
                $"its geometry makes no sense: values of {maxValueBytes} bytes, {maxParticipants} participants. Possible are 1 to "
                + $"{ValueLayout.MaxValueBytes} bytes, and 2 to {ParticipantLayout.MaxSlots} participants");
        }

        ValueGeometry geometry = new((int)maxValueBytes, maxParticipants);
        RegionBlueprint blueprint = ValueLayout.Blueprint(geometry, header.PayloadFormat, header.PayloadSchema);
        foreach (RegionSection expected in blueprint.Sections)
        {
            RegionSection found = header.Section(expected.Kind);
            if (found != expected)
            {
                throw RegionHeader.Refuse(header.Path, $"it has {found}, where a shared value of {geometry} has {expected}");
            }
        }

        return header.TotalBytes >= blueprint.TotalBytes ? geometry : throw RegionHeader.Refuse(
            header.Path, $"it has {header.TotalBytes} bytes, where a shared value of {geometry} has {blueprint.TotalBytes}");
    }

    /// <summary>Refuses an existing value that differs from what the options ask for; what they leave open fits anything.</summary>
    public void Expect(SharedValueOptions options, string path)
    {
        RegionHeader.ExpectOption(path, nameof(options.MaxValueBytes), MaxValueBytes, options.MaxValueBytes, "the shared value");
        RegionHeader.ExpectOption(path, nameof(options.MaxParticipants), MaxParticipants, options.MaxParticipants, "the shared value");
    }
}
