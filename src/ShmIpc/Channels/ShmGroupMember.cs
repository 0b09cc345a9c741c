namespace ShmIpc.Channels;

/// <summary>A living member of a group.</summary>
/// <param name="ProcessId">Its process, in that process's own PID namespace.</param>
/// <param name="IsActive">False for one that stands by.</param>
public sealed record ShmGroupMember(int ProcessId, bool IsActive);
