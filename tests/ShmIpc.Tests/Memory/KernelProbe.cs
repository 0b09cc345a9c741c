// Asks the kernel to read or write a byte for us: where that would end the process, the kernel only says EFAULT.

using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal static unsafe class KernelProbe
{
    public static bool CanRead(nint address) => Transfer(address, reads: true);

    /// <summary>Overwrites the byte where it can.</summary>
    public static bool CanWrite(nint address) => Transfer(address, reads: false);

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
