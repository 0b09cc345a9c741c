// What the user asked the consumer of a replay for.
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Consumer;

/// <summary>The command line of <c>consumer --replay</c>.</summary>
/// <param name="Channel">The channel to read.</param>
/// <param name="Timeout">How long to wait for the next message before giving up.</param>
/// <param name="JsonPath">Where the result is written for scripts, or null.</param>
internal sealed record ReplaySettings(ChannelSettings Channel, TimeSpan Timeout, string? JsonPath);
