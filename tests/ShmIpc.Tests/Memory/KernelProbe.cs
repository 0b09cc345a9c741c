// Asks the kernel to read or write a byte for us: where that would end the process, the kernel only says EFAULT.

using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal static unsafe partial class KernelProbe
{
    public static bool CanRead(nint address) => Transfer(address, reads: true);

    /// <summary>Overwrites the byte where it can.</summary>
    public static bool CanWrite(nint address) => Transfer(address, reads: false);

    /// <summary>How many pages of a range are in memory, as <c>mincore</c> says.</summary>
    public static int PagesPresent(nint address, int lengthBytes)
    {
        var present = new byte[lengthBytes / Environment.SystemPageSize];
        fixed (byte* first = present)
        {
            Assert.Equal(0, mincore((void*)address, (nuint)lengthBytes, first));
        }

        return present.Count(page => (page & 1) != 0);
    }

    /// <summary>How many bytes of its file system a file has taken.</summary>
    public static long AllocatedBytes(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        using var descriptor = new ShmIpc.Interop.BorrowedDescriptor(file);
        stat status;
        Assert.Equal(0, LibC.fstat(descriptor.Number, &status));
        return 512 * (long)status.st_blocks;
    }

    [System.Runtime.InteropServices.LibraryImport("libc", SetLastError = true)]
    private static partial int mincore(void* address, nuint length, byte* present);

    private static bool Transfer(nint address, bool reads)
    {
        var ends = stackalloc int[2];
        Assert.Equal(0, LibC.pipe2(ends, LibC.O_CLOEXEC));
        try
        {
            if (!reads)
            {
                byte value = 0;
                Assert.Equal(1, (long)LibC.write(ends[1], &value, 1));
            }

            var count = (long)(reads ? LibC.write(ends[1], (void*)address, 1) : LibC.read(ends[0], (void*)address, 1));
            if (count < 0) Assert.Equal(LibC.EFAULT, LibC.errno);
            return count == 1;
        }
        finally
        {
            _ = LibC.close(ends[0]);
            _ = LibC.close(ends[1]);
        }
    }
}
