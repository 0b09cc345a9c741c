namespace ShmIpc.Workers;

/// <summary>A line that a worker wrote.</summary>
/// <param name="Worker">The worker's index; -1 for the fork server.</param>
/// <param name="IsError">True for stderr, false for stdout.</param>
/// <param name="Line">The line, without its end.</param>
public readonly record struct WorkerOutput(int Worker, bool IsError, string Line);
