// How a mapping comes to be. First one inaccessible reservation for everything, so that nothing else can be in the way:
//
//      | guard page | data, rounded up to pages | mirror (the same pages) | guard page |
//
// then the memory over its inside. MAP_FIXED only ever replaces pages of our own reservation, and any failure unmaps all of it.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private const long AddressSpaceBytes = 1L << 47; // what a process on x64 has; longer lengths only overflow

    /// <summary>Maps a range of a file, shared with everybody else who maps it. The file may be closed afterwards.</summary>
    /// <remarks>
    /// The space of a range that is to be written is allocated first, and the file lengthened where it ends before the range does:
    /// a full file system is an exception here and never a fault later. That promise ends where somebody truncates the file or
    /// punches holes into it.
    /// </remarks>
    /// <param name="file">A regular file or memfd, open for reading, and for writing unless the mapping is read-only.</param>
    /// <param name="offset">The first byte in the file: a multiple of the page size.</param>
    /// <param name="lengthBytes">How many bytes: positive, and a multiple of the page size when mirrored.</param>
    /// <param name="options">How to map; null for the defaults.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above, or the file is not a regular one.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    /// <exception cref="UnauthorizedAccessException">The file was not opened for this access, or the kernel forbids it.</exception>
    /// <exception cref="ShmNoSpaceException">The file system is full, or the machine has too little memory for it.</exception>
    /// <exception cref="ShmException">A read-only range reaches past the end of the file, or the kernel refused.</exception>
    public static MemoryMapping MapFile(SafeFileHandle file, long offset, long lengthBytes, MemoryMappingOptions? options = null)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(file);
        options ??= new MemoryMappingOptions();
        CheckLength(lengthBytes, options);
        CheckOffset(offset, lengthBytes);
        CheckFile(file, options.Access);

        var fillHoles = false;
        if (options.Access == MemoryAccess.ReadWrite)
        {
            LinuxFile.Allocate(file, offset, lengthBytes);
        }
        else
        {
            CheckReaches(file, offset, lengthBytes);
            // On tmpfs even reading a hole takes a page, so the holes of what is only read are filled now, and not at the first touch.
            fillHoles = LinuxFile.FileSystemMagic(file) == TMPFS_MAGIC;
        }

        using var descriptor = new BorrowedDescriptor(file);
        var number = descriptor.Number;
        return Create(lengthBytes, options, Place);

        void Place(nint start, nint mirror, long mappedBytes)
        {
            MapOver(start, mappedBytes, options.Access, MAP_SHARED, number, offset);
            if (mirror != 0) MapOver(mirror, mappedBytes, options.Access, MAP_SHARED, number, offset);
            if (fillHoles && !TryPopulate(start, mappedBytes, MADV_POPULATE_READ, out var failure) && failure != EINVAL /* before 5.14 */)
            {
                throw failure == EFAULT || failure == ENOMEM
                    ? LinuxFile.NoSpace(file, offset, lengthBytes)
                    : LinuxError.ToException(failure, "madvise", $"length {mappedBytes}, MADV_POPULATE_READ");
            }
        }
    }

    /// <summary>Maps new shared memory that no file system knows, all zero and already present. Only forked children share it.</summary>
    /// <param name="lengthBytes">How many bytes: positive, and a multiple of the page size when mirrored.</param>
    /// <param name="options">How to map; null for the defaults. Read-only is refused: nobody could ever write what is to be read.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above.</exception>
    /// <exception cref="ShmNoSpaceException">The machine has less memory left than this.</exception>
    /// <exception cref="ShmException">The kernel refused.</exception>
    public static MemoryMapping MapAnonymous(long lengthBytes, MemoryMappingOptions? options = null)
    {
        LinuxPlatform.Require();
        options ??= new MemoryMappingOptions();
        CheckLength(lengthBytes, options);
        if (options.Access != MemoryAccess.ReadWrite)
        {
            throw new ArgumentException(
                "Anonymous memory that is read-only would be zero for ever, because nobody else can write it: use MemoryAccess.ReadWrite.",
                nameof(options));
        }

        LinuxMemory.RequireAvailable(lengthBytes);
        return Create(lengthBytes, options, Place);

        static void Place(nint start, nint mirror, long mappedBytes)
        {
            MapOver(start, mappedBytes, MemoryAccess.ReadWrite, MAP_SHARED | MAP_ANONYMOUS, descriptor: -1, offset: 0);
            if (!TryPopulate(start, mappedBytes, MADV_POPULATE_WRITE, out var failure))
            {
                if (failure != EINVAL) throw LinuxError.ToException(failure, "madvise", $"length {mappedBytes}, MADV_POPULATE_WRITE");
                TouchEveryPage(start, mappedBytes); // a kernel before 5.14
            }

            if (mirror != 0) Duplicate(start, mirror, mappedBytes);
        }
    }

    private static MemoryMapping Create(long lengthBytes, MemoryMappingOptions options, Action<nint, nint, long> place)
    {
        var pageBytes = LinuxProcess.PageSizeBytes;
        var mappedBytes = (lengthBytes + pageBytes - 1) & -pageBytes;
        var guardBytes = options.GuardPages ? pageBytes : 0;
        var insideBytes = options.Mirrored ? 2 * mappedBytes : mappedBytes;
        var reservedBytes = insideBytes + 2 * guardBytes;

        var reservation = mmap(null, Size(reservedBytes), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (reservation == MAP_FAILED)
        {
            MemoryRequest request = new() { LengthBytes = reservedBytes, Flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };
            throw LinuxError.ToException(errno, "mmap", $"length {reservedBytes}, PROT_NONE", request: request);
        }

        try
        {
            var start = (byte*)reservation + guardBytes;
            place((nint)start, options.Mirrored ? (nint)(start + mappedBytes) : 0, mappedBytes);
            if (options.ExcludeFromCoreDumps && madvise(start, Size(insideBytes), MADV_DONTDUMP) != 0)
            {
                throw LinuxError.ToException(errno, "madvise", $"length {insideBytes}, MADV_DONTDUMP");
            }

            return new MemoryMapping((byte*)reservation, reservedBytes, start, lengthBytes, options);
        }
        catch
        {
            _ = munmap(reservation, Size(reservedBytes));
            throw;
        }
    }

    private static void MapOver(nint start, long mappedBytes, MemoryAccess access, int flags, int descriptor, long offset)
    {
        var protection = access == MemoryAccess.ReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
        if (mmap((void*)start, Size(mappedBytes), protection, flags | MAP_FIXED, descriptor, offset) == MAP_FAILED)
        {
            var failure = errno;
            MemoryRequest request = new()
            {
                LengthBytes = mappedBytes,
                Offset = offset,
                Descriptor = descriptor < 0 ? null : descriptor,
                Protection = protection,
                Flags = flags,
            };
            throw LinuxError.ToException(failure, "mmap", $"length {mappedBytes}, offset {offset}, {access}", request: request);
        }
    }

    // An old size of zero makes a second mapping of the same shared pages, the only way to do so for pages that no file holds.
    private static void Duplicate(nint start, nint mirror, long mappedBytes)
    {
        if (mremap((void*)start, 0, Size(mappedBytes), MREMAP_MAYMOVE | MREMAP_FIXED, (void*)mirror) == MAP_FAILED)
        {
            throw LinuxError.ToException(errno, "mremap", $"old size 0, new size {mappedBytes}, MREMAP_FIXED");
        }
    }

    private static bool TryPopulate(nint start, long mappedBytes, int advice, out int failure)
    {
        do
        {
            failure = madvise((void*)start, Size(mappedBytes), advice) == 0 ? 0 : errno;
        }
        while (failure == EINTR || failure == EAGAIN);
        return failure == 0;
    }

    private static void TouchEveryPage(nint start, long mappedBytes)
    {
        for (long at = 0; at < mappedBytes; at += LinuxProcess.PageSizeBytes) ((byte*)start)[at] = 0;
    }

    private static size_t Size(long bytes) => (size_t)(ulong)bytes;
}
