// Which channel an example program uses.
using ShmIpc.Channels;

namespace ShmIpc.Examples.Terminal;

/// <summary>The channel as named on the command line.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Root">The directory it lives in; null for the library's default.</param>
/// <param name="LaneCapacityBytes">How far a producer may be ahead, in bytes; null for the library's default, or whatever an existing
/// channel has.</param>
public sealed record ChannelSettings(string Name, string? Root, long? LaneCapacityBytes)
{
    /// <summary>The same for the library.</summary>
    /// <param name="isSingleThreaded">Promises that one thread at a time writes or reads, which saves a few nanoseconds a message.</param>
    public ShmChannelOptions ToOptions(bool isSingleThreaded = false) => new()
    {
        Root = Root is null ? null : Path.GetFullPath(Root),
        LaneCapacityBytes = LaneCapacityBytes,
        SingleWriter = isSingleThreaded,
        SingleReader = isSingleThreaded,
    };
}
