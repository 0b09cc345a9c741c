// A file and its mapping as one thing, so that its length can change. How it does so is in MappedFile.Resizing.cs.
//
// The mapping may be replaced at any time by another thread that resizes, so every member that touches bytes opens its view under _lock.
// From then on the view keeps its own mapping, also when that is not the file's newest. Those that read and write are in
// MappedFile.Bytes.cs.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>A file that is mapped whole: searched, edited in place, lengthened and shortened.</summary>
/// <remarks>
/// All members may be used by several threads at once. An empty file has no mapping, and searches find nothing in it. What no library
/// can prevent: when somebody else makes the file shorter, a touch of what is gone ends this process (<c>SIGBUS</c>).
/// </remarks>
public sealed partial class MappedFile : IDisposable
{
    private readonly Lock _lock = new(); // guards the three below
    private readonly SafeFileHandle _file;
    private MemoryMapping? _mapping; // null while the file is empty
    private bool _isDisposed;

    private readonly MemoryMappingOptions _options;

    private MappedFile(SafeFileHandle file, MemoryMapping? mapping, MemoryMappingOptions options)
    {
        _file = file;
        _mapping = mapping;
        _options = options;
    }

    /// <summary>The length of the file in bytes, as it was mapped last.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public long LengthBytes => Mapping?.LengthBytes ?? 0;

    /// <summary>The mapping as it is now, for what only that can do; null while the file is empty. <see cref="Resize"/> and
    /// <see cref="Refresh"/> dispose it and make another. It belongs to the file: do not dispose it.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public MemoryMapping? Mapping
    {
        get
        {
            lock (_lock) return Current();
        }
    }

    /// <summary>Opens a file and maps all of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How to map; null for the defaults: shared, for reading and writing. <see cref="MemoryAccess.ReadOnly"/> is
    /// enough for searching. Neither <see cref="MemoryMappingOptions.Mirrored"/> nor
    /// <see cref="MemoryMappingOptions.AddressIsRequired"/>.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">It is not a regular file, or the options do not meet what is said above.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened for this access.</exception>
    /// <exception cref="ShmNoSpaceException">The file has holes that are to be written, and the file system no room for them.</exception>
    /// <exception cref="ShmException">The file's bytes are made up as they are read (<c>/proc</c>), or the kernel refused.</exception>
    public static MappedFile Open(string path, MemoryMappingOptions? options = null)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(path);
        options = Checked(options);
        var file = MemoryMapping.OpenToMap(path, options, out var lengthBytes);
        try
        {
            return new MappedFile(file, lengthBytes == 0 ? null : MemoryMapping.MapFile(file, 0, lengthBytes, options), options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Makes a new file of zeros, with all its space taken, and maps it for reading and writing.</summary>
    /// <param name="path">The file; nothing may have that name.</param>
    /// <param name="lengthBytes">How many bytes; none is possible. On a hugetlbfs it is rounded up to whole huge pages.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative, or more than a process can address.</exception>
    /// <exception cref="IOException">The name is taken, or its directory is missing.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not make files there.</exception>
    /// <exception cref="ShmNoSpaceException">The file system is full. The file is removed again.</exception>
    /// <exception cref="ShmException">The kernel refused. The file is removed again.</exception>
    public static MappedFile Create(string path, long lengthBytes)
    {
        LinuxPlatform.Require();
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        var options = new MemoryMappingOptions();
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            var fileBytes = LinuxFile.InWholePages(file, lengthBytes);
            var mapping = fileBytes == 0 ? null : MemoryMapping.MapFile(file, 0, fileBytes, options);
            return new MappedFile(file, mapping, options);
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Returns when everything that was written to the file, through any mapping, is on the disk, and its length too
    /// (<c>fsync</c>). <see cref="MemoryMapping.Flush(long, long, MemoryFlush)"/> does less: a range, or without waiting.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="InvalidOperationException">The mapping is private: what is written to it never reaches the file.</exception>
    /// <exception cref="ShmException">The disk refused. What had been changed may be lost.</exception>
    public void Flush()
    {
        lock (_lock) _ = Current();
        CheckShared();
        LinuxFile.Sync(_file);
    }

    /// <inheritdoc cref="MemoryMapping.IndexOf"/>
    public long IndexOf(ReadOnlySpan<byte> pattern, long start = 0)
    {
        using var whole = OpenWhole();
        return ByteSearch.IndexOf(whole?.Span ?? default, pattern, start);
    }

    /// <inheritdoc cref="MemoryMapping.LastIndexOf"/>
    public long LastIndexOf(ReadOnlySpan<byte> pattern)
    {
        using var whole = OpenWhole();
        return ByteSearch.LastIndexOf(whole?.Span ?? default, pattern);
    }

    /// <inheritdoc cref="MemoryMapping.Count(ReadOnlySpan{byte})"/>
    public long Count(ReadOnlySpan<byte> pattern)
    {
        using var whole = OpenWhole();
        return ByteSearch.Count(whole?.Span ?? default, pattern);
    }

    /// <inheritdoc cref="MemoryMapping.Count(ReadOnlySpan{byte}, long, long)"/>
    public long Count(ReadOnlySpan<byte> pattern, long offset, long lengthBytes)
    {
        using var whole = OpenWhole();
        return ByteSearch.Count((whole?.Span ?? default).Slice(offset, lengthBytes), pattern);
    }

    /// <inheritdoc cref="MemoryMapping.Matches"/>
    public ByteMatches Matches(ReadOnlySpan<byte> pattern, long start = 0) => new(OpenWhole, pattern, start);

    /// <inheritdoc cref="MemoryMapping.LinesWith"/>
    public MatchingLines LinesWith(ReadOnlySpan<byte> pattern) => new(OpenWhole, pattern);

    /// <summary>Closes the file, and unmaps it now or when the last callback or search that has some of it ends. A second call does
    /// nothing.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _mapping?.Dispose();
            _file.Dispose();
        }
    }

    private OpenView? OpenWhole()
    {
        lock (_lock) return Current()?.OpenWhole();
    }

    private MemoryMapping? Current()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _mapping;
    }

    private static MemoryMappingOptions Checked(MemoryMappingOptions? options)
    {
        options ??= new MemoryMappingOptions();
        if (!options.Mirrored && !options.AddressIsRequired) return options;
        throw new ArgumentException(
            "A file whose length changes is mapped anew each time, which neither Mirrored nor AddressIsRequired allows: leave them out, " +
            "or use MemoryMapping.MapFile.",
            nameof(options));
    }
}
