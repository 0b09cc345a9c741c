// A walk through a file too large to map at once: two windows are mapped at a time, the one that is shown and the next, which the kernel
// reads ahead meanwhile. So address space and page tables stay as small as the windows.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>A part of a large file, mapped for as long as a walk through the file shows it.</summary>
public sealed class FileWindow
{
    /// <summary>The length of a window unless the caller says otherwise: 64 MiB.</summary>
    public const long DefaultLengthBytes = 64L << 20;

    private FileWindow(long offset, bool isLast, MemoryMapping mapping)
    {
        Offset = offset;
        IsLast = isLast;
        Mapping = mapping;
    }

    /// <summary>Where in the file the window begins.</summary>
    public long Offset { get; }

    /// <summary>How many bytes it shows, the overlap included.</summary>
    public long LengthBytes => Mapping.LengthBytes;

    /// <summary>Whether it is the last one of the walk.</summary>
    public bool IsLast { get; }

    /// <summary>The bytes. The walk disposes it when it goes on; callbacks and searches that are running keep it mapped.</summary>
    public MemoryMapping Mapping { get; }

    /// <summary>Walks through a file from start to end, one window after the other.</summary>
    /// <remarks>The length is that at the start. When somebody shortens the file meanwhile, the next window is an exception, and a touch
    /// of what is gone from a window that is mapped ends the process.</remarks>
    /// <param name="path">The file. An empty one has no windows.</param>
    /// <param name="windowBytes">How far from window to window: a multiple of the page size.</param>
    /// <param name="overlapBytes">How many bytes of the next window each shows in addition. One less than a pattern has bytes lets a
    /// search find each match exactly once.</param>
    /// <param name="options">How to map; null for shared and read-only. Not <see cref="MemoryMappingOptions.Mirrored"/>, no
    /// <see cref="MemoryMappingOptions.AddressIsRequired"/>.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above, or it is not a regular file.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened for this access.</exception>
    /// <exception cref="ShmNoSpaceException">The file has holes that are to be written, and the file system no room for them.</exception>
    /// <exception cref="ShmException">The file became shorter, its bytes are made up as they are read (<c>/proc</c>), or the kernel
    /// refused.</exception>
    public static IEnumerable<FileWindow> Walk(
        string path, long windowBytes = DefaultLengthBytes, long overlapBytes = 0, MemoryMappingOptions? options = null)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(path);
        options ??= new MemoryMappingOptions { Access = MemoryAccess.ReadOnly };
        var pageBytes = LinuxProcess.PageSizeBytes;
        if (windowBytes <= 0 || windowBytes % pageBytes != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(windowBytes), windowBytes, $"A window is at least one page of {pageBytes} bytes, and a multiple of that.");
        }

        if (overlapBytes < 0 || overlapBytes > windowBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(overlapBytes), overlapBytes, $"The overlap is at least 0, and at most one window, {windowBytes} bytes.");
        }

        if (options.Mirrored || options.AddressIsRequired)
        {
            throw new ArgumentException(
                "Two windows are mapped at a time, which neither Mirrored nor AddressIsRequired allows.", nameof(options));
        }

        return Windows(path, windowBytes, overlapBytes, options);
    }

    private static IEnumerable<FileWindow> Windows(string path, long windowBytes, long overlapBytes, MemoryMappingOptions options)
    {
        using var file = MemoryMapping.OpenToMap(path, options, out var fileBytes);
        FileWindow? shown = null;
        FileWindow? next = null;
        try
        {
            shown = fileBytes > 0 ? Map(file, 0, fileBytes, windowBytes, overlapBytes, options) : null;
            while (shown is not null)
            {
                next = shown.IsLast ? null : Map(file, shown.Offset + windowBytes, fileBytes, windowBytes, overlapBytes, options);
                yield return shown;
                shown.Mapping.Dispose();
                (shown, next) = (next, null);
            }
        }
        finally
        {
            shown?.Mapping.Dispose();
            next?.Mapping.Dispose();
        }
    }

    private static FileWindow Map(
        SafeFileHandle file, long offset, long fileBytes, long windowBytes, long overlapBytes, MemoryMappingOptions options)
    {
        var leftBytes = fileBytes - offset;
        var lengthBytes = windowBytes >= leftBytes - overlapBytes ? leftBytes : windowBytes + overlapBytes;
        return Take(MemoryMapping.MapFile(file, offset, lengthBytes, options), offset, isLast: windowBytes >= leftBytes);
    }

    /// <summary>A window that owns its mapping, which is unmapped again when the kernel refuses the advice.</summary>
    internal static FileWindow Take(MemoryMapping mapping, long offset, bool isLast)
    {
        try
        {
            mapping.Advise(0, mapping.LengthBytes, MemoryAdvice.Sequential);
            mapping.Advise(0, mapping.LengthBytes, MemoryAdvice.WillNeed);
            return new FileWindow(offset, isLast, mapping);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }
}
