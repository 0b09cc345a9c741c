// The last message of a replay: what the consumer compares its own count with.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>What was sent in a replay.</summary>
/// <param name="Lines">How many lines.</param>
/// <param name="TextBytes">How many bytes all lines have together, line feeds not counted.</param>
/// <param name="Hash">The <see cref="ReplayHash"/> over all of them, in order.</param>
[MessagePackObject]
public sealed record ReplayEnd(
    [property: Key(0)] long Lines,
    [property: Key(1)] long TextBytes,
    [property: Key(2)] uint Hash);
