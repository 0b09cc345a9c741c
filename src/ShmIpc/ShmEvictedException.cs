namespace ShmIpc;

/// <summary>This consumer was thrown out of its channel: its group had held producers up for longer than the channel's <c>EvictAfter</c>,
/// or somebody overwrote its position. It gets nothing more; dispose it and create another, which starts with the oldest message that is
/// still there.</summary>
public sealed class ShmEvictedException(string message) : ShmException(message);
