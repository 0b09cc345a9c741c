// One line of /proc/diskstats.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>What one disk has done since the machine started.</summary>
/// <param name="Name">The kernel's name for it, such as <c>nvme0n1</c>.</param>
/// <param name="ReadBytes">Bytes read.</param>
/// <param name="WrittenBytes">Bytes written.</param>
/// <param name="BusyMilliseconds">Time in which at least one request was under way.</param>
[MessagePackObject]
public readonly record struct DiskCounters(
    [property: Key(0)] string Name,
    [property: Key(1)] long ReadBytes,
    [property: Key(2)] long WrittenBytes,
    [property: Key(3)] long BusyMilliseconds);
