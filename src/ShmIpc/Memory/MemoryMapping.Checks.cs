// What is refused before the kernel is asked, each with what was wrong, what was expected and what to do.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private static void CheckLength(long lengthBytes, MemoryMappingOptions options)
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

        var pageBytes = LinuxProcess.PageSizeBytes;
        if (options.Mirrored && lengthBytes % pageBytes != 0)
        {
            throw new ArgumentException(
                $"A mirrored mapping is whole pages of {pageBytes} bytes, and {lengthBytes} bytes are not: " +
                $"use {(lengthBytes + pageBytes - 1) & -pageBytes}.",
                nameof(lengthBytes));
        }

        if (options.Access is not (MemoryAccess.ReadOnly or MemoryAccess.ReadWrite))
        {
            throw new ArgumentException($"There is no MemoryAccess {(int)options.Access}: use ReadOnly or ReadWrite.", nameof(options));
        }
    }

    private static void CheckOffset(long offset, long lengthBytes)
    {
        var pageBytes = LinuxProcess.PageSizeBytes;
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

    private static void CheckFile(SafeFileHandle file, MemoryAccess access)
    {
        if (!LinuxFile.Status(file).IsRegularFile)
        {
            throw new ArgumentException(
                "Only a regular file or a memfd can be mapped; this is a directory, a device, a pipe or a socket.", nameof(file));
        }

        var openedFor = LinuxFile.OpenFlags(file) & O_ACCMODE;
        if (openedFor == O_WRONLY)
        {
            throw new UnauthorizedAccessException(
                "The file was opened write-only, and mapped memory is always readable: open it for reading too.");
        }

        if (access == MemoryAccess.ReadWrite && openedFor != O_RDWR)
        {
            throw new UnauthorizedAccessException(
                "The file was opened read-only, and a read-write mapping was asked for: " +
                "open it for reading and writing, or map it with MemoryAccess.ReadOnly.");
        }
    }

    private static void CheckReaches(SafeFileHandle file, long offset, long lengthBytes)
    {
        var sizeBytes = LinuxFile.Status(file).SizeBytes;
        if (sizeBytes - offset < lengthBytes)
        {
            throw new ShmException(
                $"The file has {sizeBytes} bytes, and a read-only mapping of bytes {offset} to {offset + lengthBytes} goes past its end, " +
                "where  every access would end the process: map less, or map read-write, which lengthens the file.");
        }
    }
}
