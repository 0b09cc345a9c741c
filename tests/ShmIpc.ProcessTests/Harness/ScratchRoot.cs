// A private directory on /dev/shm, or on a disk, for the regions of one test, removed with everything in it.

namespace ShmIpc.ProcessTests.Harness;

internal sealed class ScratchRoot : IDisposable
{
    public const string Memory = "/dev/shm";
    private const string Lasting = "/var/tmp";

    public ScratchRoot(string parent = Memory)
    {
        Path = System.IO.Path.Combine(parent, $"{Prefix}{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>A directory on a disk: the temporary one, or the one that outlives a restart. Skips the test where neither is.</summary>
    public static string Disk
    {
        get
        {
            string? disk = DiskOrNone;
            Assert.SkipWhen(disk is null, $"Neither {System.IO.Path.GetTempPath()} nor {Lasting} is on a disk.");
            return disk;
        }
    }

    /// <summary>A directory on a disk, or else in memory.</summary>
    public static string DiskOrMemory => DiskOrNone ?? Memory;

    public static bool IsOnDisk(string path) => Directory.Exists(path) && new DriveInfo(path).DriveFormat is not ("tmpfs" or "ramfs");

    private static string? DiskOrNone => ((string[])[System.IO.Path.GetTempPath(), Lasting]).FirstOrDefault(IsOnDisk);

    public static string Prefix { get; } = $"shmipc-processtest-{Environment.ProcessId}-";

    public string Path { get; }

    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Skips the test where less is free.</summary>
    public void RequireRoom(long bytes)
    {
        long free = new DriveInfo(Path).AvailableFreeSpace;
        Assert.SkipWhen(free < bytes, $"{Path} has {free} bytes free, and this takes up to {bytes}.");
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
