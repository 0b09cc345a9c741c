// How a mapping comes to be. First one inaccessible reservation for everything, so that nothing else can be in the way:
//
//      | guard page | data, rounded up to pages | mirror (the same pages) | guard page |
//
// then the memory over its inside. MAP_FIXED only ever replaces pages of our own reservation, and any failure unmaps all of it.
//
// Why nobody waits in a circle: a file's length has one of 256 locks (LengthLockOf), by its inode, and a thread that holds one never asks
// for another. Under it runs only this library's own code for that one file: no callback, no await, no member of another file. Resize maps
// the file anew under it, which enters the same lock once more, as a Lock allows. The order is MappedFile._lock, length lock, _viewsLock,
// LockTable's lock, and nobody goes the other way. So two files that share a lock wait for each other, and never both. Callbacks run with
// none of the four: they may resize, dispose and read any file, this one too, and wait for other threads that do.

using System.Numerics;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private const long AddressSpaceBytes = 1L << 47; // what a process on x64 has; longer lengths only overflow

    private const int LengthLocks = 256; // files that share one only wait for each other

    private static readonly Lock[] _lengthLocks = [.. Enumerable.Range(0, LengthLocks).Select(_ => new Lock())];

    /// <summary>Held from the look at a file's length until it is mapped, and by whoever shortens a file from the look at what is mapped
    /// until it is shorter: so no thread maps what another is about to cut off. A file that grows may take long to get its space, and
    /// others are mapped meanwhile.</summary>
    internal static Lock LengthLockOf(SafeFileHandle file) => _lengthLocks[LinuxFile.Status(file).Inode % LengthLocks];

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
        var poolPageBytes = LinuxFile.HugePageBytes(file);
        var pageBytes = Math.Max(poolPageBytes, LinuxProcess.PageSizeBytes);
        CheckLength(lengthBytes, options, pageBytes);
        CheckOffset(offset, lengthBytes, pageBytes);
        var isWritable = CheckFile(file, options);
        var refusal = HugePageRefusal.OfFile(options.HugePages, poolPageBytes);
        if (refusal is not null && options.HugePages is { IsRequired: true }) throw refusal.Error;

        var isShared = options.Sharing == MappingSharing.Shared;
        var takesSpace = isShared && options.Access == MemoryAccess.ReadWrite;
        var fillHoles = false;
        var isInMemory = LinuxFile.IsInMemory(file);
        if (takesSpace)
        {
            LinuxFile.Allocate(file, offset, poolPageBytes == 0 ? lengthBytes : RoundUp(lengthBytes, poolPageBytes));
        }
        else
        {
            CheckReaches(file, offset, lengthBytes);
            // On tmpfs even reading a hole takes a page, so the holes of what is only read are filled now, and not at the first touch.
            // From a pool, too; but a private copy of it that is to be written is filled instead of the hole.
            fillHoles = isInMemory || (poolPageBytes != 0 && options.Access != MemoryAccess.ReadWrite);
            if (isInMemory) LinuxFile.RequireRoom(file, offset, lengthBytes);
        }

        using var descriptor = new BorrowedDescriptor(file);
        var number = descriptor.Number;
        var backing = new Backing(
            IsFile: true,
            MayBeWritten: isWritable || !isShared,
            SpaceIsTaken: takesSpace || (fillHoles && poolPageBytes == 0),
            PageBytes: pageBytes,
            Offset: offset,
            Kind: isInMemory ? TransparentKind.Shared : TransparentKind.File,
            Refusal: refusal);
        try
        {
            return Create(lengthBytes, options, backing, Place);
        }
        catch (ShmException error) when (poolPageBytes != 0 && error is not ShmNoSpaceException)
        {
            throw HugePageRefusal.Of(error, poolPageBytes, lengthBytes).Error;
        }

        void Place(nint start, nint mirror, long mappedBytes)
        {
            var flags = isShared ? MAP_SHARED : options.NoReserve ? MAP_PRIVATE | MAP_NORESERVE : MAP_PRIVATE;
            var access = fillHoles && options.Access == MemoryAccess.None ? MemoryAccess.ReadOnly : options.Access;
            lock (LengthLockOf(file))
            {
                CheckReaches(file, offset, lengthBytes);
                MapOver(start, mappedBytes, access, flags, number, offset);
                if (mirror != 0) MapOver(mirror, mappedBytes, access, flags, number, offset);
            }

            AdviseHugePages(start, mirror == 0 ? mappedBytes : 2 * mappedBytes, options);
            if (fillHoles
                && !TryPopulate(start, mappedBytes, MADV_POPULATE_READ, out var failure)
                && (failure != EINVAL /* before 5.14 */ || poolPageBytes != 0))
            {
                throw failure == EFAULT || failure == ENOMEM
                    ? LinuxFile.NoSpace(file, offset, lengthBytes)
                    : LinuxError.ToException(
                        failure,
                        "madvise",
                        $"length {mappedBytes}, MADV_POPULATE_READ",
                        request: new MemoryRequest { Address = start, LengthBytes = mappedBytes, HugePageBytes = poolPageBytes });
            }

            Close(start, mirror == 0 ? mappedBytes : 2 * mappedBytes, access, options.Access);
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
        ArgumentNullException.ThrowIfNull(path);
        options ??= new MemoryMappingOptions();
        using var file = OpenToMap(path, options, out var lengthBytes);
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
        var pageBytes = Math.Max(options.HugePages?.PoolPageBytes ?? 0, LinuxProcess.PageSizeBytes);
        CheckLength(lengthBytes, options, pageBytes);
        if (options.Access == MemoryAccess.ReadOnly)
        {
            throw new ArgumentException(
                "Anonymous memory that is read-only would be zero for ever, because nobody else can write it: use " +
                "MemoryAccess.ReadWrite, and Protect it once it is written.",
                nameof(options));
        }

        HugePageRefusal? refusal = null;
        foreach (var poolPageBytes in options.HugePages?.PoolPageSizesToTry ?? [])
        {
            if (TryMapPool(lengthBytes, options, poolPageBytes, refusal, out var mapping, out var next)) return mapping;
            if (options.HugePages is { IsRequired: true }) throw next.Error;
            refusal = refusal?.And(next) ?? next;
        }

        return MapAnonymous(lengthBytes, options, LinuxProcess.PageSizeBytes, refusal);
    }

    private static MemoryMapping MapAnonymous(long lengthBytes, MemoryMappingOptions options, long pageBytes, HugePageRefusal? refusal)
    {
        var isShared = options.Sharing == MappingSharing.Shared;
        var isOfPool = pageBytes > LinuxProcess.PageSizeBytes;
        if (!isOfPool && (isShared || IsPopulated(options))) LinuxMemory.RequireAvailable(lengthBytes);
        var backing = new Backing(
            IsFile: false,
            MayBeWritten: true,
            SpaceIsTaken: true,
            PageBytes: pageBytes,
            Offset: 0,
            Kind: isShared ? TransparentKind.Shared : TransparentKind.Anonymous,
            Refusal: refusal);
        return Create(lengthBytes, options, backing, Place);

        void Place(nint start, nint mirror, long mappedBytes)
        {
            var flags = isShared ? MAP_SHARED : options.NoReserve ? MAP_PRIVATE | MAP_NORESERVE : MAP_PRIVATE;
            var access = isShared || isOfPool ? MemoryAccess.ReadWrite : options.Access;
            if (isOfPool && mirror != 0)
            {
                MapPoolTwice(start, mirror, mappedBytes, pageBytes);
            }
            else
            {
                var size = isOfPool ? MAP_HUGETLB | (BitOperations.Log2((ulong)pageBytes) << MAP_HUGE_SHIFT) : 0;
                MapOver(start, mappedBytes, access, flags | MAP_ANONYMOUS | size, descriptor: -1, offset: 0);
                AdviseHugePages(start, mappedBytes, options);
                if (isShared || isOfPool) Fill(start, mappedBytes, isOfPool);
                if (mirror != 0) Duplicate(start, mirror, mappedBytes);
            }

            Close(start, mirror == 0 ? mappedBytes : 2 * mappedBytes, access, options.Access);
        }
    }

    private static MemoryMapping Create(long lengthBytes, MemoryMappingOptions options, Backing backing, Action<nint, nint, long> place)
    {
        var mappedBytes = RoundUp(lengthBytes, backing.PageBytes);
        if (IsBroughtIn(options, backing)) LinuxMemory.RequireAvailable(mappedBytes);
        var guardBytes = options.GuardPages ? LinuxProcess.PageSizeBytes : 0;
        var insideBytes = options.Mirrored ? 2 * mappedBytes : mappedBytes;
        var reservedBytes = insideBytes + 2 * guardBytes;

        var reservation = ReserveAligned(guardBytes, reservedBytes, options, backing);
        try
        {
            var start = (byte*)reservation + guardBytes;
            place((nint)start, options.Mirrored ? (nint)(start + mappedBytes) : 0, mappedBytes);
            if (options.ExcludeFromCoreDumps && madvise(start, Size(insideBytes), MADV_DONTDUMP) != 0)
            {
                throw LinuxError.ToException(
                    errno,
                    "madvise",
                    $"length {insideBytes}, MADV_DONTDUMP",
                    request: new MemoryRequest { Address = (nint)start, LengthBytes = insideBytes });
            }

            var mapping = new MemoryMapping((byte*)reservation, reservedBytes, start, insideBytes, lengthBytes, options, backing);
            if (IsPopulated(options) || (mapping.IsOfPool && backing.IsFile)) mapping.Populate();
            mapping.SettleHugePages(options, backing.Refusal);
            if (options.Locked) mapping.LockForLife();
            return mapping;
        }
        catch
        {
            _ = munmap((void*)reservation, Size(reservedBytes));
            throw;
        }
    }

    // Where all future memory is locked, mapping takes all of it at once, and the kernel would kill a process for what there is not. What
    // is shared memory is there already.
    private static bool IsBroughtIn(MemoryMappingOptions options, in Backing backing)
    {
        if (options.Access == MemoryAccess.None || backing.PageBytes > LinuxProcess.PageSizeBytes) return false;
        var isCopied = options.Sharing == MappingSharing.Private && options.Access == MemoryAccess.ReadWrite;
        return (isCopied || backing.Kind != TransparentKind.Shared) && LockTable.BringsInWhatIsMapped;
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

    // What had to be open to be filled gets the access that was asked for.
    private static void Close(nint start, long mappedBytes, MemoryAccess access, MemoryAccess asked)
    {
        if (access != asked && mprotect((void*)start, Size(mappedBytes), ProtectionOf(asked)) != 0)
        {
            throw LinuxError.ToException(
                errno,
                "mprotect",
                $"length {mappedBytes}, {asked}",
                request: new MemoryRequest { Address = start, LengthBytes = mappedBytes, Protection = ProtectionOf(asked) });
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
                HugePageBytes = (flags & MAP_HUGETLB) != 0 ? 1L << (flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK) : 0,
            };
            throw LinuxError.ToException(failure, "mmap", $"length {mappedBytes}, offset {offset}, {access}", request: request);
        }
    }

    // An old size of zero makes a second mapping of the same shared pages, the only way to do so for pages that no file holds.
    private static void Duplicate(nint start, nint mirror, long mappedBytes)
    {
        if (mremap((void*)start, 0, Size(mappedBytes), MREMAP_MAYMOVE | MREMAP_FIXED, (void*)mirror) == MAP_FAILED)
        {
            throw LinuxError.ToException(
                errno,
                "mremap",
                $"old size 0, new size {mappedBytes}, MREMAP_FIXED",
                request: new MemoryRequest { Address = start, LengthBytes = mappedBytes });
        }
    }

    private static long RoundUp(long bytes, long pageBytes) => (bytes + pageBytes - 1) & -pageBytes;

    private static size_t Size(long bytes) => (size_t)(ulong)bytes;

    /// <summary>What the memory stands on.</summary>
    /// <param name="IsFile">A file, and not anonymous memory.</param>
    /// <param name="MayBeWritten">Whether the kernel lets its pages become writable.</param>
    /// <param name="SpaceIsTaken">Whether every page has space behind it.</param>
    /// <param name="PageBytes">The size of its pages: the pool's, or an ordinary one's.</param>
    /// <param name="Offset">Where in the file it begins.</param>
    /// <param name="Kind">What is asked before there are transparent huge pages.</param>
    /// <param name="Refusal">Why there are no huge pages that were asked for; null where there are, or nothing was asked.</param>
    private readonly record struct Backing(
        bool IsFile, bool MayBeWritten, bool SpaceIsTaken, long PageBytes, long Offset, TransparentKind Kind, HugePageRefusal? Refusal);
}
