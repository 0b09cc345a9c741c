// What the user asked the replaying producer for.
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Producer;

/// <summary>The command line of a replay.</summary>
/// <param name="Channel">The channel to publish to.</param>
/// <param name="File">The file whose lines are sent.</param>
/// <param name="Repeat">How often the file is sent; ignored where <paramref name="Lines"/> is given.</param>
/// <param name="Lines">How many lines are sent, starting over at the end of the file; null means the file <paramref name="Repeat"/>
/// times.</param>
/// <param name="LinesPerSecond">How many lines a second are sent; null means as many as go.</param>
/// <param name="Duration">Send no more lines after this time; null means until all are sent.</param>
/// <param name="WaitForConsumer">How long to wait for a consumer before the first line.</param>
/// <param name="JsonPath">Where the result is written for scripts, or null.</param>
internal sealed record ReplaySettings(
    ChannelSettings Channel,
    string File,
    long Repeat,
    long? Lines,
    double? LinesPerSecond,
    TimeSpan? Duration,
    TimeSpan WaitForConsumer,
    string? JsonPath);
