// What the user asked the live consumer for.
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Consumer;

/// <summary>The command line of the live consumer.</summary>
/// <param name="Channel">The channel to read.</param>
/// <param name="Group">The group to join.</param>
/// <param name="Duration">How long to read; null means until stopped.</param>
/// <param name="Count">How many samples to read; null means any number.</param>
/// <param name="Timeout">How long to wait for the next sample before giving up; null means for ever.</param>
/// <param name="TopProcesses">How many processes the display shows.</param>
/// <param name="Plain">Lines instead of a display, even on a terminal.</param>
/// <param name="JsonPath">Where the result is written for scripts, or null.</param>
internal sealed record TelemetrySettings(
    ChannelSettings Channel,
    GroupSettings Group,
    TimeSpan? Duration,
    long? Count,
    TimeSpan? Timeout,
    int TopProcesses,
    bool Plain,
    string? JsonPath);
