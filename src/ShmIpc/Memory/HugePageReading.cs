// What smaps says about the pages of a range of this process.

using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <param name="PageBytes">The size of the pages (KernelPageSize), the largest in the range.</param>
/// <param name="HugeBytes">Bytes in huge pages, of a pool or transparent.</param>
/// <param name="PresentBytes">Bytes that are in memory.</param>
internal readonly record struct HugePageReading(long PageBytes, long HugeBytes, long PresentBytes)
{
    public static HugePageReading Of(nint start, nint end)
    {
        var (pageBytes, hugeBytes, presentBytes) = (LinuxProcess.PageSizeBytes, 0L, 0L);
        for (var at = start; at < end && ProcessMaps.FindOwn(at) is { Sizes: { } sizes } entry; at = entry.End)
        {
            var poolBytes = Inside(sizes.SharedPoolPageBytes) + Inside(sizes.PrivatePoolPageBytes);
            pageBytes = Math.Max(pageBytes, sizes.KernelPageSizeBytes ?? 0);
            presentBytes += poolBytes + Inside(sizes.ResidentBytes);
            hugeBytes += poolBytes
                + Inside(sizes.AnonymousHugePageBytes) + Inside(sizes.SharedMemoryHugePageBytes) + Inside(sizes.FileHugePageBytes);

            // A neighbour that is alike is in the same entry, and counts for no more than what is in the range.
            long Inside(long? bytes) => Math.Min(bytes ?? 0, Math.Min(entry.End, end) - at);
        }

        return new HugePageReading(pageBytes, hugeBytes, presentBytes);
    }
}
