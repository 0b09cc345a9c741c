// One line `cpuN` of /proc/stat.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>What one core has spent its time on since the machine started.</summary>
/// <param name="Index">The core's number.</param>
/// <param name="BusyTicks">Clock ticks (hundredths of a second) in which it worked, for processes, the kernel, interrupts, or another
/// virtual machine.</param>
/// <param name="TotalTicks">The same plus the ticks in which it was idle or waited for a disk.</param>
[MessagePackObject]
public readonly record struct CoreCounters(
    [property: Key(0)] int Index,
    [property: Key(1)] long BusyTicks,
    [property: Key(2)] long TotalTicks);
