// What a consumer got when it joined: which group, of which kind, and where the group starts if the consumer made it. An observer's seat is
// in no group.

namespace ShmIpc.Channels;

/// <summary>A consumer's place in a group.</summary>
/// <param name="Group">The group's number; -1 for an observer.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">Its name, or null for a consumer's own group.</param>
/// <param name="Starts">For each lane, where the group starts; null when it existed before: then its cursors say.</param>
internal sealed record GroupSeat(int Group, GroupKind Kind, string? Name, (long Position, long Sequence)[]? Starts)
{
    public bool IsNamed => Name is not null;

    public bool IsObserver => Group < 0;
}
