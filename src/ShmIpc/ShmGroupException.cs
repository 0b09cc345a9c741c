namespace ShmIpc;

/// <summary>A group cannot be as asked: it exists with another kind or durability; it has living members and was to be deleted; or it was
/// to be shared on a channel that drops the oldest. The message says which.</summary>
public sealed class ShmGroupException(string message) : ShmException(message);
