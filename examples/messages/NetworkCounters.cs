// One line of /proc/net/dev.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>What one network interface has carried since it came up.</summary>
/// <param name="Name">The kernel's name for it, such as <c>eth0</c>.</param>
/// <param name="ReceivedBytes">Bytes received.</param>
/// <param name="SentBytes">Bytes sent.</param>
/// <param name="LostPackets">Packets dropped or damaged, in both directions.</param>
[MessagePackObject]
public readonly record struct NetworkCounters(
    [property: Key(0)] string Name,
    [property: Key(1)] long ReceivedBytes,
    [property: Key(2)] long SentBytes,
    [property: Key(3)] long LostPackets);
