// The groups that a channel has from the start: written into the region before it has a name, and looked for by whoever opens it.

using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.Channels;

internal static class RequiredGroups
{
    /// <summary>Writes the entries of a new region: active, durable, with every cursor at the beginning.</summary>
    /// <exception cref="ArgumentException">There are more than the channel has room for, or two of one name.</exception>
    public static void Make(MappedSpan control, ChannelGeometry geometry, IReadOnlyList<RequiredGroup>? required)
    {
        if (required is not { Count: > 0 })
        {
            return;
        }

        if (required.Count > geometry.MaxGroups || required.DistinctBy(group => group.Name).Count() != required.Count)
        {
            throw new ArgumentException(
                $"RequiredGroups names {required.Count} groups ({string.Join(", ", required.Select(group => group.Name))}); names must "
                + $"differ, and MaxGroups is {geometry.MaxGroups}.",
                nameof(required));
        }

        RegionSection[] sections = [.. ChannelLayout.Blueprint(geometry, "", 0).Sections];
        long groups = sections.First(section => section.Kind == SectionKind.Groups).Offset;
        long words = sections.First(section => section.Kind == SectionKind.ChannelControl).Offset;
        for (int group = 0; group < required.Count; group++)
        {
            GroupEntry entry = new(control.Slice(groups + ((long)group * ChannelLayout.GroupBytes), ChannelLayout.GroupBytes));
            entry.Describe(required[group].Name, required[group].Kind, isDurable: true);
            entry.SetComplete();
            Atomics.Store(ref entry.State, GroupEntry.Pack(GroupEntry.Active, Stamp.None));
            Atomics.Or(ref control.UInt64(words + ChannelLayout.ActiveOffset), 1UL << group);
        }
    }

    /// <exception cref="ShmRegionFormatException">The channel lacks one.</exception>
    public static void Expect(GroupTable groups, IReadOnlyList<RequiredGroup>? required, string path)
    {
        foreach (RequiredGroup asked in required ?? [])
        {
            bool isThere = Enumerable.Range(0, groups.Count).Select(groups.Entry).Any(entry =>
                GroupEntry.Phase(Atomics.Acquire(ref entry.State)) == GroupEntry.Active
                && entry.Is(asked.Name) && entry.Kind == asked.Kind && entry.IsDurable);
            if (!isThere)
            {
                throw RegionHeader.Refuse(path, $"it has no durable {asked.Kind} group \"{asked.Name}\", which RequiredGroups asks for. "
                    + "Groups are required when a channel is created");
            }
        }
    }
}
