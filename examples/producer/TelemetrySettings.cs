// What the user asked the live producer for.
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Producer;

/// <summary>The command line of the live producer.</summary>
/// <param name="Channel">The channel to publish to.</param>
/// <param name="Interval">The time between two samples.</param>
/// <param name="Duration">How long to publish; null means until stopped.</param>
/// <param name="Count">How many samples to publish; null means any number.</param>
/// <param name="ProcessLimit">The most processes in a sample.</param>
/// <param name="JsonPath">Where the result is written for scripts, or null.</param>
internal sealed record TelemetrySettings(
    ChannelSettings Channel,
    TimeSpan Interval,
    TimeSpan? Duration,
    long? Count,
    int ProcessLimit,
    string? JsonPath);
