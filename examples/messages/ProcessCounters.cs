// One /proc/[pid]/stat.
using MessagePack;

namespace ShmIpc.Examples.Messages;

/// <summary>What one process has used since it started.</summary>
/// <param name="ProcessId">Its number. The kernel uses numbers again: only together with <paramref name="StartTicks"/> does it name one
/// process.</param>
/// <param name="StartTicks">When it started, in clock ticks after the machine did.</param>
/// <param name="Name">Its name, at most 15 bytes, as the kernel keeps it.</param>
/// <param name="State">One letter, as in <c>ps</c>: R running, S sleeping, D waiting for a disk, Z dead and not yet collected.</param>
/// <param name="CpuTicks">Clock ticks (hundredths of a second) it has used, user and system, over all its threads.</param>
/// <param name="ResidentBytes">Memory it occupies now, shared memory included.</param>
/// <param name="Threads">How many threads it has now.</param>
[MessagePackObject]
public readonly record struct ProcessCounters(
    [property: Key(0)] int ProcessId,
    [property: Key(1)] long StartTicks,
    [property: Key(2)] string Name,
    [property: Key(3)] char State,
    [property: Key(4)] long CpuTicks,
    [property: Key(5)] long ResidentBytes,
    [property: Key(6)] int Threads)
{
    /// <summary>Clock ticks a second, which is 100 on every platform that .NET supports on Linux.</summary>
    public const int TicksPerSecond = 100;
}
