// The directory that holds regions: /dev/shm/shmipc-<uid> unless SHMIPC_ROOT or an option says otherwise.
//
// The default root belongs to one user: directory 0700, files 0600. A root that is given explicitly may be shared by a group: a
// directory with the set-group-id bit and group access (2770) holds files of mode 0660, of any owner in that group. /dev/shm is
// writable by everybody, so a directory that stands there under our name is used only when it is ours.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Regions;

internal sealed class RegionRoot : IDisposable
{
    public const string EnvironmentVariable = "SHMIPC_ROOT";
    private const uint SetGroupId = 0x400; // S_ISGID
    private const uint Sticky = 0x200;     // S_ISVTX
    private const uint GroupAll = 0x38;    // S_IRWXG
    private const uint OthersWrite = 0x2;  // S_IWOTH
    private const uint GroupWrite = 0x10;  // S_IWGRP
    private const long Tmpfs = 0x01021994;
    private const long Ramfs = 0x858458F6;
    private static readonly HashSet<long> _refusedFileSystems =
    [
        0x6969,      // NFS
        0x65735546,  // FUSE
        0xFF534D42,  // CIFS
        0xFE534D42,  // SMB2
        0x01021997,  // 9P
        0x00C36400,  // Ceph
    ];

    private readonly uint _groupId;
    private readonly bool _isInMemory;

    private RegionRoot(string path, SafeFileHandle directory, FileStatus status, bool isDefault)
    {
        Path = path;
        Directory = directory;
        IsShared = !isDefault && (status.Permissions & (SetGroupId | GroupAll)) == (SetGroupId | GroupAll);
        _groupId = status.GroupId;
        _isInMemory = IsInMemory(directory);
    }

    /// <summary>Anybody can make a directory of this name before we do, so it is used only when it is this user's alone.</summary>
    private static string DefaultPath => $"/dev/shm/shmipc-{LinuxProcess.EffectiveUserId}";

    public string Path { get; }

    public SafeFileHandle Directory { get; }

    /// <summary>Regions here may belong to any member of the directory's group.</summary>
    public bool IsShared { get; }

    /// <summary>Mode of the files that are created here.</summary>
    public uint FileMode => IsShared ? 0x1B0u /* 0660 */ : 0x180u /* 0600 */;

    /// <summary>Opens the root, and makes the last directory of its path when it is missing.</summary>
    /// <param name="root">The root that was asked for, or null for the environment variable or the default.</param>
    /// <exception cref="UnauthorizedAccessException">The directory belongs to somebody else, or others may write to it.</exception>
    public static RegionRoot Open(string? root)
    {
        string path = PathOf(root);
        if (!LinuxFile.TryStatus(System.IO.Path.GetDirectoryName(path) ?? path, out _))
        {
            throw new ShmException(
                $"Cannot make the directory {path} for regions, because the one it would stand in does not exist. "
                + $"Make that first, or choose another root (option Root or {EnvironmentVariable}).");
        }

        LinuxFile.MakeDirectory(path, 0x1C0 /* 0700 */);
        SafeFileHandle directory = LinuxFile.OpenDirectory(path);
        try
        {
            FileStatus status = LinuxFile.Status(directory);
            RegionRoot opened = new(path, directory, status, isDefault: path == DefaultPath);
            opened.CheckAccess(status);
            return opened;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>The directory that would be used.</summary>
    public static string PathOf(string? root)
    {
        if (root is { Length: 0 })
        {
            throw new ArgumentException("The root directory is an empty string. Give a path, or null for the default.", nameof(root));
        }

        root ??= Environment.GetEnvironmentVariable(EnvironmentVariable);
        return string.IsNullOrEmpty(root) ? DefaultPath : System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(root));
    }

    /// <summary>True for file systems that forget everything when the machine stops.</summary>
    public static bool IsInMemory(SafeFileHandle file) => LinuxFile.IsInMemory(file) || LinuxFile.FileSystemMagic(file) == Ramfs;

    /// <summary>Refuses to make a region that is to survive a power cut where none can.</summary>
    public void CheckDurable()
    {
        if (_isInMemory)
        {
            throw new ShmException(
                $"The directory {Path} is in memory (tmpfs), where nothing survives a power cut: Flush = Async or Sync needs a Root on a "
                + "disk (ext4, xfs or btrfs). Choose one, or leave Flush out.");
        }
    }

    /// <summary>Refuses a file that is not a region file of ours: its type, owner and mode.</summary>
    public void CheckFile(string path, FileStatus status)
    {
        if (!status.IsRegularFile)
        {
            throw RegionHeader.Refuse(path, $"it is {(status.IsDirectory ? "a directory" : "not a regular file")}");
        }

        uint user = LinuxProcess.EffectiveUserId;
        bool isOwn = status.UserId == user || (IsShared && status.GroupId == _groupId);
        if (!isOwn)
        {
            throw new UnauthorizedAccessException(
                $"{path} belongs to user {status.UserId}, and this process runs as user {user}. "
                + "Run both sides as the same user, or share a root directory of mode 2770 between members of a group.");
        }

        uint excess = status.Permissions & (IsShared ? 0x7u : 0x3Fu) & 0x3F;
        if (excess != 0)
        {
            throw new UnauthorizedAccessException(
                $"{path} has mode {Octal(status.Permissions)}, and a region here has {Octal(FileMode)}: "
                + "others could read or change it. If it is yours, correct it with chmod.");
        }
    }

    /// <summary>Refuses to delete a file whose name this process may not take away.</summary>
    public void CheckMayDelete(string path, FileStatus status)
    {
        int failure = LinuxFile.TryChange(Directory);
        if (failure != 0)
        {
            throw LinuxError.ToException(failure, "unlinkat", $"\"{path}\"");
        }

        FileStatus directory = LinuxFile.Status(Directory);
        uint user = LinuxProcess.EffectiveUserId;
        if ((directory.Permissions & Sticky) != 0 && user != 0 && user != status.UserId && user != directory.UserId)
        {
            throw new UnauthorizedAccessException(
                $"{path} belongs to user {status.UserId}, and {Path} has the sticky bit: only that user may delete it. Have it do so, or "
                + "give the directory mode 2770.");
        }
    }

    public void Dispose() => Directory.Dispose();

    private static string Octal(uint mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');

    private void CheckAccess(FileStatus status)
    {
        uint user = LinuxProcess.EffectiveUserId;
        bool isOwn = status.UserId == user || IsShared;
        if (!isOwn)
        {
            throw new UnauthorizedAccessException(
                $"The directory {Path} belongs to user {status.UserId}, and this process runs as user {user}. "
                + $"Choose another root (option Root or {EnvironmentVariable}).");
        }

        uint excess = status.Permissions & (IsShared ? OthersWrite : OthersWrite | GroupWrite);
        if (excess != 0)
        {
            throw new UnauthorizedAccessException(
                $"The directory {Path} has mode {Octal(status.Permissions)}: others could replace regions in it. Use 0700, or 2770 "
                + "to share it with its group.");
        }

        long magic = LinuxFile.FileSystemMagic(Directory);
        if (_refusedFileSystems.Contains(magic))
        {
            throw new ShmException(
                $"The directory {Path} is on a network or FUSE file system (type 0x{magic:X}), where shared memory and locks are "
                + "not coherent. "
                + "Use tmpfs (/dev/shm), ext4, xfs or btrfs.");
        }
    }
}
