namespace ShmIpc;

/// <summary>Every place of a fixed table (lanes, groups, participants) is held by somebody living.</summary>
public sealed class ShmLimitException(string message) : ShmException(message);
