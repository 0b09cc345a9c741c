namespace ShmIpc.Channels;

/// <summary>A durable group that a channel has from the start.</summary>
public sealed record RequiredGroup
{
    /// <summary>Its name, 1 to 127 bytes of UTF-8.</summary>
    public string Name { get; set; } = "";

    /// <summary>How its members share the messages. Default: <see cref="GroupKind.Exclusive"/>.</summary>
    public GroupKind Kind { get; set; } = GroupKind.Exclusive;
}
