// What the replay example sends: the lines of a file, one message each, and behind the last one a message that says what must have arrived.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>One line of a replayed file, or the end of the replay.</summary>
/// <param name="Run">Names one replay, so that what an earlier one left in the channel is not taken for this one.</param>
/// <param name="Number">1 for the first line of the replay, then one more each; the end has the number after the last line's.</param>
/// <param name="SentTimestamp">When the line was handed to the channel: <c>Stopwatch.GetTimestamp()</c>, CLOCK_MONOTONIC, the same in
/// every process.</param>
/// <param name="Text">The bytes of the line without its line feed, whatever encoding they are in; empty in the end.</param>
/// <param name="End">Null in every message but the last.</param>
[MessagePackObject]
public readonly record struct ReplayLine(
    [property: Key(0)] long Run,
    [property: Key(1)] long Number,
    [property: Key(2)] long SentTimestamp,
    [property: Key(3)] ReadOnlyMemory<byte> Text,
    [property: Key(4)] ReplayEnd? End)
{
    /// <summary>The most bytes that a message needs on top of its text: array, three numbers, length of the text, end.</summary>
    public const int OverheadBytes = 64;
}
