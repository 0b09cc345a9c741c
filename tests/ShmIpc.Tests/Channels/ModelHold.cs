namespace ShmIpc.Tests.Channels;

/// <summary>A message of a shared group that was handed out and that nobody has acknowledged.</summary>
internal sealed class ModelHold(ModelMessage message, ModelMember slot)
{
    public ModelMessage Message { get; } = message;

    /// <summary>Who took it first. One who left leaves all of its messages to one other member at a time.</summary>
    public ModelMember Slot { get; } = slot;

    /// <summary>Who works on it; null when that member has left.</summary>
    public ModelMember? Holder { get; set; } = slot;

    public int Deliveries { get; set; } = 1;

    /// <summary>True when it can be delivered to a member now.</summary>
    public bool IsFor(ModelMember member) =>
        Holder is null && Slot.HasLeft && (Slot.Heir is null || Slot.Heir == member || Slot.Heir.HasLeft);
}
