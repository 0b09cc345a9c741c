// A private directory on /dev/shm, or on a disk, for the regions of one test, removed with everything in it.

namespace ShmIpc.ProcessTests.Harness;

internal sealed class ScratchRoot : IDisposable
{
    public const string Memory = "/dev/shm";

    public ScratchRoot(string parent = Memory)
    {
        Path = System.IO.Path.Combine(parent, $"{Prefix}{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>A directory on a disk; the test is skipped where the temporary directory is in memory.</summary>
    public static string Disk
    {
        get
        {
            string path = System.IO.Path.GetTempPath();
            string format = new DriveInfo(path).DriveFormat;
            Assert.SkipWhen(format is "tmpfs" or "ramfs", $"The temporary directory {path} is in memory ({format}).");
            return path;
        }
    }

    public static string Prefix { get; } = $"shmipc-processtest-{Environment.ProcessId}-";

    public string Path { get; }

    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
