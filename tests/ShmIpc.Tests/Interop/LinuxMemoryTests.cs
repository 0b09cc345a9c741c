using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class LinuxMemoryTests
{
    [Fact]
    public void What_is_available_is_read_from_the_kernel() // and is not the "unknown" of an unreadable file
        => Assert.InRange(LinuxMemory.AvailableBytes(), 1 << 20, 1L << 46);

    [Fact]
    public void Little_is_granted_and_too_much_refused_with_both_numbers()
    {
        LinuxMemory.RequireAvailable(4096);
        var error = Assert.Throws<ShmNoSpaceException>(() => LinuxMemory.RequireAvailable(1L << 50));
        Assert.Equal(1L << 50, error.RequestedBytes);
        Assert.Contains($"{1L << 50} bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{error.AvailableBytes} bytes left", error.Message, StringComparison.Ordinal);
    }
}
