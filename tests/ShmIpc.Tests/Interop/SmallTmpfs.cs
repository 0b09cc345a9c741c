// A tmpfs of one MiB, to be filled. Mounting takes root; the test is skipped without. Unmounted in any case when the test ends.

using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Interop;

internal sealed unsafe class SmallTmpfs : IDisposable
{
    public const long SizeBytes = 1 << 20;
    private const int MNT_DETACH = 2;
    private const uint OwnerOnly = 0x180; // 0600

    private readonly string _path = Directory.CreateTempSubdirectory("shmipc-test-").FullName;
    private readonly SafeFileHandle? _directory;

    public SmallTmpfs()
    {
        try
        {
            fixed (byte* type = "tmpfs\0"u8, target = Target, data = "size=1m\0"u8)
            {
                if (LibC.mount(type, target, type, 0, data) != 0)
                {
                    var failure = LinuxError.NameOf(LibC.errno);
                    Assert.Skip($"A small tmpfs to fill cannot be mounted here ({failure}); run as root.");
                }
            }

            _directory = LinuxFile.OpenDirectory(_path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private byte[] Target => Encoding.UTF8.GetBytes(_path + '\0');

    public string Path => _path;

    public SafeFileHandle NewFile() => LinuxFile.OpenTemporaryAt(_directory!, OwnerOnly);

    public void Dispose()
    {
        _directory?.Dispose();
        fixed (byte* target = Target) _ = LibC.umount2(target, MNT_DETACH);
        Directory.Delete(_path);
    }
}
