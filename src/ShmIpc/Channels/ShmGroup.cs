namespace ShmIpc.Channels;

/// <summary>A group of consumers as it was at the instant of the look.</summary>
/// <param name="Name">Its name; null for a consumer's own group.</param>
/// <param name="Kind">How its members share the messages.</param>
/// <param name="IsDurable">True when it stays without members, and producers keep its messages.</param>
/// <param name="Members">Its living members.</param>
/// <param name="Lags">For each lane that was ever taken, what the group has not finished with.</param>
/// <param name="InFlight">Messages of a shared group that members have taken and not acknowledged.</param>
public sealed record ShmGroup(
    string? Name,
    GroupKind Kind,
    bool IsDurable,
    IReadOnlyList<ShmGroupMember> Members,
    IReadOnlyList<ShmGroupLag> Lags,
    int InFlight)
{
    /// <summary>Messages over all lanes that the group has not finished with (exclusive), or that no member has taken (shared).</summary>
    public long Lag => Lags.Sum(lag => lag.Messages);
}
