// The time of day, for notes that people read (when a region was made, when somebody joined). Nothing waits or decides by it: it jumps when
// somebody sets it, and BannedSymbols.txt keeps it out of every other file. Waits go by CLOCK_MONOTONIC (Stopwatch, TickCount64).
#pragma warning disable RS0030 // the one place

namespace ShmIpc.Interop;

internal static class WallClock
{
    /// <summary>Nanoseconds since 1970, as this machine believes.</summary>
    public static ulong UnixNanoseconds() => (ulong)(DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}
