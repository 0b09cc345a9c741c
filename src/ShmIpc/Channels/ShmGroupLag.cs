namespace ShmIpc.Channels;

/// <summary>How far a group is behind the producer of one lane.</summary>
/// <param name="Lane">The lane.</param>
/// <param name="Messages">Messages that are there and that the group has not finished with (exclusive), or that no member has taken
/// (shared).</param>
public sealed record ShmGroupLag(int Lane, long Messages);
