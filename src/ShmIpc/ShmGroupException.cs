namespace ShmIpc;

/// <summary>A named group is not what was asked for, or cannot do what was asked of it.</summary>
public sealed class ShmGroupException(string message) : ShmException(message);
