namespace ShmIpc;

/// <summary>No region of the given name exists.</summary>
public sealed class ShmRegionNotFoundException(string message) : ShmException(message);
