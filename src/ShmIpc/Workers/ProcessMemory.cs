// What a process takes of the machine's memory, as the kernel counts it.

using System.Globalization;

namespace ShmIpc.Workers;

internal static class ProcessMemory
{
    /// <summary>Its own pages, and its share of those that others map too (PSS), in bytes; null when it has ended, or the kernel does not
    /// say.</summary>
    public static long? ProportionalBytes(int processId)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{processId}/smaps_rollup")
                .FirstOrDefault(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            string? number = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1);
            return long.TryParse(number, CultureInfo.InvariantCulture, out long kibibytes) ? kibibytes * 1024 : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
