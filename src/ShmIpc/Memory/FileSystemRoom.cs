namespace ShmIpc.Memory;

/// <summary>The size of a file system.</summary>
/// <param name="TotalBytes">All of it; null for a tmpfs without a limit.</param>
/// <param name="AvailableBytes">What an ordinary user may still take; null for a tmpfs without a limit.</param>
public readonly record struct FileSystemRoom(long? TotalBytes, long? AvailableBytes);
