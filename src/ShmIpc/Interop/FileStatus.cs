// What the kernel says of a file, reduced to the fields somebody here asks for.

using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal readonly record struct FileStatus(uint Mode, uint UserId, uint GroupId, long SizeBytes, ulong Inode, ulong Device)
{
    public bool IsRegularFile => (Mode & (uint)S_IFMT) == (uint)S_IFREG;

    public bool IsDirectory => (Mode & (uint)S_IFMT) == (uint)S_IFDIR;

    public bool IsSymbolicLink => (Mode & (uint)S_IFMT) == (uint)S_IFLNK;

    /// <summary>The low twelve bits: permissions, setuid, setgid, sticky.</summary>
    public uint Permissions => Mode & 0xFFF;
}
