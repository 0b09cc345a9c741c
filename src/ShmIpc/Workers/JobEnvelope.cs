namespace ShmIpc.Workers;

/// <summary>A job with its number.</summary>
/// <param name="Number">Which job it is.</param>
/// <param name="Job">The job; nothing when it is not wanted any more, or cannot be read.</param>
/// <param name="IsWanted">False when nobody waits for it any more; then it was not read.</param>
/// <param name="Error">Why it cannot be read; null when it can.</param>
internal readonly record struct JobEnvelope<TJob>(ulong Number, TJob? Job, bool IsWanted = true, Exception? Error = null);
