// The producer's side of a replay, as printed and as written for scripts.
namespace ShmIpc.Examples.Producer;

/// <summary>What was sent.</summary>
internal sealed record ReplaySent(long Lines, long TextBytes, string Hash, double Seconds, double LinesPerSecond);
