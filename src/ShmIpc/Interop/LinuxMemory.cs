// How much memory the machine has left. A tmpfs may be larger than the memory behind it; filling it then never comes to ENOSPC, the
// kernel kills processes instead. So whoever takes memory asks here first.

using System.Globalization;

namespace ShmIpc.Interop;

internal static class LinuxMemory
{
    private const string Path = "/proc/meminfo";

    /// <summary>Bytes that can be taken without harm to others: MemAvailable and free swap; <see cref="long.MaxValue"/> where that
    /// cannot be read. The limit of a control group (a container) is not part of it.</summary>
    public static long AvailableBytes()
    {
        try
        {
            var lines = File.ReadAllLines(Path);
            return FieldBytes(lines, "MemAvailable:") + FieldBytes(lines, "SwapFree:");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or InvalidOperationException)
        {
            return long.MaxValue;
        }
    }

    /// <exception cref="ShmNoSpaceException">The machine has less memory left than this.</exception>
    public static void RequireAvailable(long lengthBytes)
    {
        var availableBytes = AvailableBytes();
        if (lengthBytes <= availableBytes) return;
        throw new ShmNoSpaceException(
            $"{lengthBytes} bytes of memory were asked for, and the machine has {availableBytes} bytes left (MemAvailable and free " +
            "swap): taking them would have the kernel kill processes. Ask for less, or free memory.",
            lengthBytes,
            availableBytes);
    }

    // "MemAvailable:   23515704 kB"
    private static long FieldBytes(string[] lines, string name) =>
        1024 * long.Parse(
            lines.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..^"kB".Length],
            CultureInfo.InvariantCulture);
}
