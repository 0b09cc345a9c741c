// What the kernel says of single pages of this process: which are in memory (mincore), and which are its own (pagemap).

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static ShmIpc.Interop.LibCExtras;

namespace ShmIpc.Interop;

internal sealed unsafe class PageMap : IDisposable
{
    private const int PagesAtOnce = 4 << 10;
    private const ulong Present = 1UL << 63;
    private const ulong Swapped = 1UL << 62;
    private const ulong OfFile = 1UL << 61;
    private const ulong Exclusive = 1UL << 56; // not set for the page of zeros, nor for one that a forked child has too

    private SafeFileHandle? _file;

    /// <summary>Takes the bytes that are not there off what is left.</summary>
    /// <returns>False as soon as less than nothing is left.</returns>
    public bool TryTake(PageRange range, ref long leftBytes)
    {
        var pageBytes = LinuxProcess.PageSizeBytes;
        for (long at = 0; leftBytes >= 0 && at < range.LengthBytes; at += PagesAtOnce * pageBytes)
        {
            var count = (int)Math.Min(PagesAtOnce, (range.LengthBytes - at) / pageBytes);
            var there = range.There switch
            {
                PagesThere.InMemory => CountInMemory(range.Start + (nint)at, count),
                PagesThere.Own => CountOwn(range.Start + (nint)at, count),
                _ => 0,
            };
            leftBytes -= (count - there) * pageBytes;
        }

        return leftBytes >= 0;
    }

    public void Dispose() => _file?.Dispose();

    private static int CountInMemory(nint start, int count)
    {
        var pages = stackalloc byte[PagesAtOnce];
        if (mincore((void*)start, (nuint)(count * LinuxProcess.PageSizeBytes), pages) != 0) return count; // not mapped: not ours to say
        var there = 0;
        for (var i = 0; i < count; i++) there += pages[i] & 1;
        return there;
    }

    // Where the file cannot be read, none is known to be there.
    private int CountOwn(nint start, int count)
    {
        Span<ulong> entries = stackalloc ulong[PagesAtOnce];
        try
        {
            _file ??= LinuxFile.OpenForReading("/proc/self/pagemap");
            var first = start / (nint)LinuxProcess.PageSizeBytes;
            var read = LinuxFile.ReadAt(_file, MemoryMarshal.AsBytes(entries[..count]), (long)first * sizeof(ulong)) / sizeof(ulong);
            entries = entries[..read];
        }
        catch (Exception error) when (error is ShmException or UnauthorizedAccessException)
        {
            return 0;
        }

        var own = 0;
        foreach (var entry in entries)
        {
            own += (entry & Swapped) != 0 || (entry & (Present | OfFile | Exclusive)) == (Present | Exclusive) ? 1 : 0;
        }

        return own;
    }
}
