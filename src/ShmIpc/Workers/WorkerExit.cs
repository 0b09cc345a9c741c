namespace ShmIpc.Workers;

/// <summary>How a worker ended. Both values are null when nobody could say: a signal ended it, and somebody else in the process reaped it, or
/// the process ignores SIGCHLD.</summary>
/// <param name="ExitCode">What it returned; null when a signal ended it.</param>
/// <param name="Signal">The signal that ended it, such as 9 for SIGKILL; null when it ended by itself.</param>
public readonly record struct WorkerExit(int? ExitCode, int? Signal);
