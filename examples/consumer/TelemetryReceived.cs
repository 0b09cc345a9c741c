// The result of a live run, as written for scripts.
namespace ShmIpc.Examples.Consumer;

/// <summary>What arrived.</summary>
internal sealed record TelemetryReceived(long Samples, long Lost, long ProducerRestarts, Latency LatencyMicroseconds);
