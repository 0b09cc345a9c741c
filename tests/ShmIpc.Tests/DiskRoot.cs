using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests;

/// <summary>A private directory for regions on a real disk, removed with everything in it. The test is skipped where there is none.</summary>
internal sealed class DiskRoot : IDisposable
{
    private static readonly long[] _disks =
    [
        LibCExtras.EXT4_SUPER_MAGIC, LibCExtras.XFS_SUPER_MAGIC, LibCExtras.BTRFS_SUPER_MAGIC, LibCExtras.OVERLAYFS_SUPER_MAGIC,
    ];

    public DiskRoot()
    {
        string? parent = new[] { System.IO.Path.GetTempPath(), AppContext.BaseDirectory }.FirstOrDefault(IsOnDisk);
        Assert.SkipWhen(parent is null, "Neither the temporary directory nor the tests' own is on ext4, xfs, btrfs or overlayfs.");
        Path = System.IO.Path.Combine(parent!, $"shmipc-test-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path { get; }

    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Waits until nobody is attached to a region there any more: a process that another test starts has a copy of a descriptor
    /// that was closed for a moment, and with it the locks.</summary>
    public void AwaitDetached(string name)
    {
        using SafeFileHandle file = File.OpenHandle(FileOf(name), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Assert.True(
            SpinWait.SpinUntil(() => !LinuxFile.IsLocked(file, 0, 0), TimeSpan.FromMinutes(1)), $"Somebody is attached to {name}.");
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static bool IsOnDisk(string path)
    {
        using SafeFileHandle directory = LinuxFile.OpenDirectory(System.IO.Path.TrimEndingDirectorySeparator(path));
        return _disks.Contains(LinuxFile.FileSystemMagic(directory));
    }
}
