namespace ShmIpc;

/// <summary>An object was used in a forked child of the process that made it. It works on in the parent; the child opens the channel
/// anew.</summary>
public sealed class ShmForkedProcessException(string message) : ShmException(message);
