// How much memory the machine has left. A tmpfs may be larger than the memory behind it; filling it then never comes to ENOSPC, the
// kernel kills processes instead. So whoever takes memory asks here first.

namespace ShmIpc.Interop;

internal static class LinuxMemory
{
    /// <summary>Bytes that can be taken without harm to others: MemAvailable and free swap, or what the limit of the control group (a
    /// container) leaves, whichever is less; <see cref="long.MaxValue"/> where that cannot be read.</summary>
    public static long AvailableBytes()
    {
        var (machineBytes, groupBytes) = Available("/");
        return Math.Min(machineBytes, groupBytes);
    }

    /// <param name="lengthBytes">What is to be taken.</param>
    /// <param name="root">The root of the file system; another one for tests.</param>
    /// <exception cref="ShmNoSpaceException">The machine, or the control group, has less memory left than this.</exception>
    public static void RequireAvailable(long lengthBytes, string root = "/")
    {
        if (Shortage(lengthBytes, root) is { } refusal) throw refusal;
    }

    /// <summary>Whether mapped pages may all be brought into memory: null, or the exception that says why not.</summary>
    public static ShmNoSpaceException? ShortageFor(params IReadOnlyCollection<PageRange> ranges)
    {
        if (Shortage(ranges.Sum(range => range.LengthBytes)) is not { } refusal) return null;
        var left = refusal.AvailableBytes;
        using PageMap pages = new();
        return ranges.All(range => pages.TryTake(range, ref left)) ? null : refusal;
    }

    /// <summary>The exception of <see cref="RequireAvailable"/>, or null.</summary>
    public static ShmNoSpaceException? Shortage(long lengthBytes, string root = "/")
    {
        var (machineBytes, groupBytes) = Available(root);
        var availableBytes = Math.Min(machineBytes, groupBytes);
        if (lengthBytes <= availableBytes) return null;
        var (owner, cure) = groupBytes < machineBytes
            ? ("the control group of this process", "raise its limit (memory.max; `MemoryMax=`, `docker run --memory=`)")
            : ("the machine (MemAvailable)", "free memory");
        return new ShmNoSpaceException(
            $"{lengthBytes} bytes of memory were asked for, and {owner} has {availableBytes} bytes left (with free swap): taking them " +
            $"would have the kernel kill processes. Ask for less, or {cure}.",
            lengthBytes,
            availableBytes);
    }

    private static (long MachineBytes, long GroupBytes) Available(string root)
    {
        var machine = MachineMemory.Read(root);
        return machine is { AvailableBytes: { } availableBytes, FreeSwapBytes: { } freeSwapBytes }
            ? (availableBytes + freeSwapBytes, ControlGroupMemory.AvailableBytes(freeSwapBytes, root))
            : (long.MaxValue, long.MaxValue);
    }
}
