// A sample with what only its receiver knows.
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Consumer;

/// <summary>A sample, when it was here, decoded, and whether it was sent while this program was there.</summary>
internal readonly record struct ReceivedSample(TelemetrySample Sample, long Timestamp, bool IsLive);
