// The live producer's side, as written for scripts.
namespace ShmIpc.Examples.Producer;

/// <summary>How many samples were published, and how many were not because a consumer left no room.</summary>
internal sealed record TelemetrySent(long Published, long Skipped);
