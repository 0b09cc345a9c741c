namespace ShmIpc;

/// <summary>The region was deleted while it was in use. Dispose the objects that use it and open or create it anew.</summary>
public sealed class ShmRegionDeletedException(string message) : ShmException(message);
