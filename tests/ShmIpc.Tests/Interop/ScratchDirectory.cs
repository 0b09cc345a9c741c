// A directory of the test's own, on the tmpfs at /dev/shm, gone with everything in it when the test ends.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Tests.Interop;

internal sealed class ScratchDirectory : IDisposable
{
    private const uint OwnerOnly = 0x180; // 0600

    public ScratchDirectory()
    {
        Path = System.IO.Path.Combine("/dev/shm", $"shmipc-test-{Environment.ProcessId}-{Guid.NewGuid():N}"); // test.sh knows whose it is
        Directory.CreateDirectory(Path);
        Handle = LinuxFile.OpenDirectory(Path);
    }

    public string Path { get; }

    public SafeFileHandle Handle { get; }

    /// <summary>A new file without a name.</summary>
    public SafeFileHandle NewFile(long lengthBytes = 0)
    {
        var file = LinuxFile.OpenTemporaryAt(Handle, OwnerOnly);
        LinuxFile.SetLength(file, lengthBytes);
        return file;
    }

    public void Dispose()
    {
        Handle.Dispose();
        Directory.Delete(Path, recursive: true);
    }
}
