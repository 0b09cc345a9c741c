// What is refused before the kernel is asked, each with what was wrong, what was expected and what to do.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private static void CheckLength(long lengthBytes, MemoryMappingOptions options, long pageBytes)
    {
        if (lengthBytes <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(lengthBytes), lengthBytes, "The length of a mapping is at least one byte.");
        }

        if (lengthBytes > AddressSpaceBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(lengthBytes), lengthBytes, $"A process has {AddressSpaceBytes} bytes of address space: map less.");
        }

        if (options.Mirrored && lengthBytes % pageBytes != 0)
        {
            throw new ArgumentException(
                $"A mirrored mapping is whole pages of {pageBytes} bytes, and {lengthBytes} bytes are not: " +
                $"use {(lengthBytes + pageBytes - 1) & -pageBytes}.",
                nameof(lengthBytes));
        }

        CheckKnown(options.Access, nameof(options));
        CheckOptions(options, pageBytes);
    }

    private static void CheckOptions(MemoryMappingOptions options, long pageBytes)
    {
        if (options.Sharing is not (MappingSharing.Shared or MappingSharing.Private))
        {
            throw new ArgumentException($"There is no MappingSharing {(int)options.Sharing}: use Shared or Private.", nameof(options));
        }

        if (options.Mirrored && options.Sharing == MappingSharing.Private)
        {
            throw new ArgumentException(
                "The two halves of a private mirrored mapping would drift apart at the first write: use MappingSharing.Shared, or map " +
                "without Mirrored.",
                nameof(options));
        }

        if (options.NoReserve && options.Sharing == MappingSharing.Shared)
        {
            throw new ArgumentException(
                "The space of shared memory is taken before it is mapped, so that no write can fault: NoReserve needs " +
                "MappingSharing.Private.",
                nameof(options));
        }

        if (options.NoReserve && pageBytes > LinuxProcess.PageSizeBytes)
        {
            throw new ArgumentException(
                "Huge pages of a pool are taken before they are touched, because a touch that finds the pool empty ends the process: " +
                "leave NoReserve out.",
                nameof(options));
        }

        if (options.Locked && options.Access == MemoryAccess.None)
        {
            throw new ArgumentException(
                "Locked brings every page into memory, and the kernel brings in none that is MemoryAccess.None: map without Locked, " +
                "and Lock what you open later.",
                nameof(options));
        }

        if (options.Address < 0 || options.Address % pageBytes != 0)
        {
            throw new ArgumentException(
                $"Memory lies at a positive multiple of the page size, {pageBytes} bytes, and 0x{options.Address:x} is not one" +
                (options.Address > pageBytes ? $": use 0x{options.Address & (nint)(-pageBytes):x}." : "."),
                nameof(options));
        }

        if (options.AddressIsRequired && options.Address < 2 * LinuxProcess.PageSizeBytes)
        {
            throw new ArgumentException(
                "AddressIsRequired needs an Address above the first two pages, where nothing may lie.", nameof(options));
        }
    }

    private static void CheckKnown(MemoryAccess access, string name)
    {
        if (access is not (MemoryAccess.None or MemoryAccess.ReadOnly or MemoryAccess.ReadWrite or MemoryAccess.ReadExecute))
        {
            throw new ArgumentException($"There is no MemoryAccess {(int)access}: use None, ReadOnly, ReadWrite or ReadExecute.", name);
        }
    }

    private void CheckInside(long offset, long lengthBytes)
    {
        if (offset < 0 || lengthBytes <= 0 || lengthBytes > LengthBytes - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(lengthBytes),
                lengthBytes,
                $"{lengthBytes} byte(s) from offset {offset} on were asked for: a range has at least one byte, begins at 0 or later, and " +
                $"ends within the {LengthBytes} bytes of the mapping.");
        }
    }

    private void CheckPages(long offset, long lengthBytes)
    {
        if (offset < 0 || offset % PageSizeBytes != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"The range must begin at a multiple of the page size, {PageSizeBytes} bytes.");
        }

        CheckInside(offset, lengthBytes);

        if (lengthBytes % PageSizeBytes != 0 && offset + lengthBytes != LengthBytes)
        {
            throw new ArgumentException(
                $"The range must end at a multiple of the page size, {PageSizeBytes} bytes, or with the mapping: use " +
                $"{PageEnd(lengthBytes)} bytes.",
                nameof(lengthBytes));
        }
    }

    private static void CheckOffset(long offset, long lengthBytes, long pageBytes)
    {
        if (offset < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, "A file begins at offset 0.");
        }

        if (offset % pageBytes != 0)
        {
            throw new ArgumentException(
                $"A mapping begins at a multiple of the page size, {pageBytes} bytes, and {offset} is not one: " +
                $"map from {offset & -pageBytes} and skip the first {offset % pageBytes} bytes.",
                nameof(offset));
        }

        if (offset > long.MaxValue - lengthBytes - pageBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"No file reaches {lengthBytes} bytes past offset {offset}: use a smaller one.");
        }
    }

    /// <summary>Opens a file for a mapping of these options, and refuses what cannot be mapped. Never waits.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is to be mapped.</param>
    /// <param name="lengthBytes">Its length now; it may be empty.</param>
    internal static SafeFileHandle OpenToMap(string path, MemoryMappingOptions options, out long lengthBytes)
    {
        // Looked at before it is opened: to open a pipe waits for its other end, and to open a device may have effects of its own.
        if (LinuxFile.TryStatus(path, out var status) && !status.IsRegularFile) throw NotRegular(nameof(path), $"\"{path}\"");
        var writes = options.Sharing == MappingSharing.Shared && options.Access == MemoryAccess.ReadWrite;
        var access = writes ? FileAccess.ReadWrite : FileAccess.Read;
        var file = File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            CheckFile(file, options);
            lengthBytes = LinuxFile.Status(file).SizeBytes;
            if (lengthBytes > 0 || LinuxFile.ReadAt(file, stackalloc byte[1], 0) == 0) return file;
            throw new ShmException(
                $"The bytes of \"{path}\" are made up as they are read, so that there is nothing to map: read the file.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Says whether the file was opened for writing, too.</summary>
    internal static bool CheckFile(SafeFileHandle file, MemoryMappingOptions options)
    {
        if (!LinuxFile.Status(file).IsRegularFile)
        {
            throw NotRegular(nameof(file));
        }

        var openedFor = LinuxFile.OpenFlags(file) & O_ACCMODE;
        if (openedFor == O_WRONLY)
        {
            throw new UnauthorizedAccessException(
                "The file was opened write-only, and mapped memory is always readable: open it for reading too.");
        }

        if (options.Access == MemoryAccess.ReadWrite && options.Sharing == MappingSharing.Shared && openedFor != O_RDWR)
        {
            throw new UnauthorizedAccessException(
                "The file was opened read-only, and a read-write mapping was asked for: open it for reading and writing, map it with " +
                "MemoryAccess.ReadOnly, or with MappingSharing.Private, whose writes do not reach the file.");
        }

        return openedFor == O_RDWR;
    }

    private static ArgumentException NotRegular(string name, string file = "this") =>
        new($"Only a regular file or a memfd can be mapped; {file} is a directory, a device, a pipe or a socket.", name);

    private static void CheckReaches(SafeFileHandle file, long offset, long lengthBytes)
    {
        var sizeBytes = LinuxFile.Status(file).SizeBytes;
        if (sizeBytes - offset < lengthBytes)
        {
            throw new ShmException(
                $"The file has {sizeBytes} bytes, and a mapping of bytes {offset} to {offset + lengthBytes} goes past its end, " +
                "where every access would end the process: map less, or map shared and read-write, which lengthens the file.");
        }
    }
}
