namespace ShmIpc;

/// <summary>A region of the given name exists already, and a new one was asked for.</summary>
public sealed class ShmRegionExistsException(string message) : ShmException(message);
