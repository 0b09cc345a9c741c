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

    /// <summary>Maps a range of a file. The file may be closed afterwards.</summary>
    /// <remarks>
    /// The space of a shared range that is to be written is allocated first, and the file lengthened where it ends before the range does:
    /// a full file system is an exception here and never a fault later. That promise ends where somebody truncates the file or
    /// punches holes into it. A private mapping, and a read-only one, takes no space and must lie inside the file.
    /// </remarks>
    /// <param name="file">A regular file or memfd, open for reading, and for writing where shared memory is to be written.</param>
    /// <param name="offset">The first byte in the file: a multiple of the page size.</param>
    /// <param name="lengthBytes">How many bytes: positive, and a multiple of the page size when mirrored.</param>
    /// <param name="options">How to map; null for the defaults.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above, or the file is not a regular one.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    /// <exception cref="UnauthorizedAccessException">The file was not opened for this access, or the kernel forbids it.</exception>
    /// <exception cref="ShmNoSpaceException">The file system is full, or the machine has too little memory for it.</exception>
    /// <exception cref="ShmException">The range reaches past the end of the file, something else lies at the address that is required, or
    /// the kernel refused.</exception>
    public static MemoryMapping MapFile(SafeFileHandle file, long offset, long lengthBytes, MemoryMappingOptions? options = null)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(file);
        options ??= new MemoryMappingOptions();
        CheckLength(lengthBytes, options);
        CheckOffset(offset, lengthBytes);
        var isWritable = CheckFile(file, options);

        var isShared = options.Sharing == MappingSharing.Shared;
        var takesSpace = isShared && options.Access == MemoryAccess.ReadWrite;
        var fillHoles = false;
        if (takesSpace)
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
        var backing = new Backing(IsFile: true, MayBeWritten: isWritable || !isShared, SpaceIsTaken: takesSpace || fillHoles);
        return Create(lengthBytes, options, backing, Place);

        void Place(nint start, nint mirror, long mappedBytes)
        {
            var flags = isShared ? MAP_SHARED : options.NoReserve ? MAP_PRIVATE | MAP_NORESERVE : MAP_PRIVATE;
            var access = fillHoles && options.Access == MemoryAccess.None ? MemoryAccess.ReadOnly : options.Access;
            MapOver(start, mappedBytes, access, flags, number, offset);
            if (mirror != 0) MapOver(mirror, mappedBytes, access, flags, number, offset);
            if (fillHoles && !TryPopulate(start, mappedBytes, MADV_POPULATE_READ, out var failure) && failure != EINVAL /* before 5.14 */)
            {
                throw failure == EFAULT || failure == ENOMEM
                    ? LinuxFile.NoSpace(file, offset, lengthBytes)
                    : LinuxError.ToException(failure, "madvise", $"length {mappedBytes}, MADV_POPULATE_READ");
            }

            Close(start, mappedBytes, access, options.Access);
        }
    }

    /// <summary>Maps a whole file, of the length that it has now.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How to map; null for the defaults.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ShmException">The file is empty, so that there is nothing to map; or as for
    /// <see cref="MapFile(SafeFileHandle, long, long, MemoryMappingOptions?)"/>, whose other exceptions are thrown, too.</exception>
    public static MemoryMapping MapFile(string path, MemoryMappingOptions? options = null)
    {
        LinuxPlatform.Require();
        options ??= new MemoryMappingOptions();
        var writes = options.Sharing == MappingSharing.Shared && options.Access == MemoryAccess.ReadWrite;
        var access = writes ? FileAccess.ReadWrite : FileAccess.Read;
        using var file = File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        CheckFile(file, options);
        var lengthBytes = LinuxFile.Status(file).SizeBytes;
        if (lengthBytes == 0)
        {
            throw new ShmException($"\"{path}\" is empty, and a mapping has at least one byte: look at the length first.");
        }

        return MapFile(file, 0, lengthBytes, options);
    }

    /// <summary>Maps new memory that no file system knows, all zero. Shared memory is already present, and only forked children share it.
    /// Private memory comes as it is touched, unless <see cref="MemoryMappingOptions.Populate"/> says otherwise.</summary>
    /// <param name="lengthBytes">How many bytes: positive, and a multiple of the page size when mirrored.</param>
    /// <param name="options">How to map; null for the defaults. Read-only is refused: nobody could ever write what is to be read.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above.</exception>
    /// <exception cref="ShmNoSpaceException">The machine has less memory left than this.</exception>
    /// <exception cref="ShmException">Something else lies at the address that is required, or the kernel refused.</exception>
    public static MemoryMapping MapAnonymous(long lengthBytes, MemoryMappingOptions? options = null)
    {
        LinuxPlatform.Require();
        options ??= new MemoryMappingOptions();
        CheckLength(lengthBytes, options);
        if (options.Access == MemoryAccess.ReadOnly)
        {
            throw new ArgumentException(
                "Anonymous memory that is read-only would be zero for ever, because nobody else can write it: use " +
                "MemoryAccess.ReadWrite, and Protect it once it is written.",
                nameof(options));
        }

        var isShared = options.Sharing == MappingSharing.Shared;
        if (isShared || options.Populate) LinuxMemory.RequireAvailable(lengthBytes);
        return Create(lengthBytes, options, new Backing(IsFile: false, MayBeWritten: true, SpaceIsTaken: true), Place);

        void Place(nint start, nint mirror, long mappedBytes)
        {
            var flags = isShared ? MAP_SHARED : options.NoReserve ? MAP_PRIVATE | MAP_NORESERVE : MAP_PRIVATE;
            var access = isShared ? MemoryAccess.ReadWrite : options.Access;
            MapOver(start, mappedBytes, access, flags | MAP_ANONYMOUS, descriptor: -1, offset: 0);
            if (isShared) Fill(start, mappedBytes);
            if (mirror != 0) Duplicate(start, mirror, mappedBytes);
            Close(start, mappedBytes, access, options.Access);
        }
    }

    private static MemoryMapping Create(long lengthBytes, MemoryMappingOptions options, Backing backing, Action<nint, nint, long> place)
    {
        var pageBytes = LinuxProcess.PageSizeBytes;
        var mappedBytes = (lengthBytes + pageBytes - 1) & -pageBytes;
        var guardBytes = options.GuardPages ? pageBytes : 0;
        var insideBytes = options.Mirrored ? 2 * mappedBytes : mappedBytes;
        var reservedBytes = insideBytes + 2 * guardBytes;

        var reservation = Reserve(options.Address == 0 ? 0 : options.Address - (nint)guardBytes, reservedBytes, options.AddressIsRequired);
        try
        {
            var start = (byte*)reservation + guardBytes;
            place((nint)start, options.Mirrored ? (nint)(start + mappedBytes) : 0, mappedBytes);
            if (options.ExcludeFromCoreDumps && madvise(start, Size(insideBytes), MADV_DONTDUMP) != 0)
            {
                throw LinuxError.ToException(errno, "madvise", $"length {insideBytes}, MADV_DONTDUMP");
            }

            var mapping = new MemoryMapping((byte*)reservation, reservedBytes, start, lengthBytes, options, backing);
            if (options.Populate) mapping.Populate(insideBytes);
            if (options.Locked) mapping.LockForLife();
            return mapping;
        }
        catch
        {
            _ = munmap((void*)reservation, Size(reservedBytes));
            throw;
        }
    }

    private static nint Reserve(nint address, long reservedBytes, bool addressIsRequired)
    {
        var flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (addressIsRequired ? MAP_FIXED_NOREPLACE : 0);
        var reservation = mmap((void*)address, Size(reservedBytes), PROT_NONE, flags, -1, 0);
        var failure = reservation == MAP_FAILED ? errno : 0;
        if (failure == 0 && addressIsRequired && (nint)reservation != address) // a kernel before 4.17 takes it for a wish
        {
            _ = munmap(reservation, Size(reservedBytes));
            failure = EEXIST;
        }

        if (failure == 0) return (nint)reservation;
        var arguments = address == 0 ? $"length {reservedBytes}" : $"address 0x{address:x}, length {reservedBytes}";
        throw LinuxError.ToException(
            failure,
            "mmap",
            addressIsRequired ? $"{arguments}, PROT_NONE, MAP_FIXED_NOREPLACE" : $"{arguments}, PROT_NONE",
            request: new MemoryRequest { Address = address, LengthBytes = reservedBytes, Flags = flags });
    }

    // Reading suffices for a shared file, whose space is taken; what is private is copied or created only by writing.
    private void Populate(long insideBytes)
    {
        if (Access == MemoryAccess.None) return;
        var writes = Access == MemoryAccess.ReadWrite && (Sharing == MappingSharing.Private || !_isFile);
        if (TryPopulate((nint)_start, insideBytes, writes ? MADV_POPULATE_WRITE : MADV_POPULATE_READ, out var failure)) return;
        if (failure == EFAULT || failure == ENOMEM)
        {
            throw new ShmNoSpaceException(
                $"The machine has no room for the {insideBytes} bytes that were to be populated: map less, or without Populate.",
                insideBytes,
                availableBytes: -1);
        }

        if (failure != EINVAL /* before 5.14 */) throw LinuxError.ToException(failure, "madvise", $"length {insideBytes}, populate");
        for (long at = 0; at < insideBytes; at += LinuxProcess.PageSizeBytes)
        {
            var value = ((byte*)_start)[at];
            if (writes) ((byte*)_start)[at] = value;
        }
    }

    private static void Fill(nint start, long mappedBytes)
    {
        if (TryPopulate(start, mappedBytes, MADV_POPULATE_WRITE, out var failure)) return;
        if (failure != EINVAL) throw LinuxError.ToException(failure, "madvise", $"length {mappedBytes}, MADV_POPULATE_WRITE");
        for (long at = 0; at < mappedBytes; at += LinuxProcess.PageSizeBytes) ((byte*)start)[at] = 0; // a kernel before 5.14
    }

    // What had to be open to be filled gets the access that was asked for.
    private static void Close(nint start, long mappedBytes, MemoryAccess access, MemoryAccess asked)
    {
        if (access != asked && mprotect((void*)start, Size(mappedBytes), ProtectionOf(asked)) != 0)
        {
            throw LinuxError.ToException(errno, "mprotect", $"length {mappedBytes}, {asked}");
        }
    }

    private static void MapOver(nint start, long mappedBytes, MemoryAccess access, int flags, int descriptor, long offset)
    {
        if (mmap((void*)start, Size(mappedBytes), ProtectionOf(access), flags | MAP_FIXED, descriptor, offset) == MAP_FAILED)
        {
            var failure = errno;
            MemoryRequest request = new()
            {
                LengthBytes = mappedBytes,
                Offset = offset,
                Descriptor = descriptor < 0 ? null : descriptor,
                Protection = ProtectionOf(access),
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

    private static size_t Size(long bytes) => (size_t)(ulong)bytes;

    /// <summary>What the memory stands on.</summary>
    /// <param name="IsFile">A file, and not anonymous memory.</param>
    /// <param name="MayBeWritten">Whether the kernel lets its pages become writable.</param>
    /// <param name="SpaceIsTaken">Whether every page has space behind it.</param>
    private readonly record struct Backing(bool IsFile, bool MayBeWritten, bool SpaceIsTaken);
}
