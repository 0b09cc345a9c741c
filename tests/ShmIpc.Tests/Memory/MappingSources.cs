// Makes the same mapping from each source, so that one test serves all three.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal static unsafe class MappingSources
{
    public static MemoryMapping Map(MappingSource source, long lengthBytes, MemoryMappingOptions? options = null)
    {
        if (source == MappingSource.Anonymous) return MemoryMapping.MapAnonymous(lengthBytes, options);
        if (source == MappingSource.Memfd)
        {
            using var memfd = NewMemfd();
            return MemoryMapping.MapFile(memfd, 0, lengthBytes, options);
        }

        using var scratch = new ScratchDirectory();
        using var file = scratch.NewFile();
        return MemoryMapping.MapFile(file, 0, lengthBytes, options); // neither the file nor the handle outlives this line
    }

    public static SafeFileHandle NewMemfd()
    {
        fixed (byte* name = "shmipc-test\0"u8)
        {
            var descriptor = LibC.memfd_create(name, LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING);
            Assert.True(descriptor >= 0, $"memfd_create failed: errno {LibC.errno}");
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }
    }
}
