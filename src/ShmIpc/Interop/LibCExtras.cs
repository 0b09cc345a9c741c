// What Tmds.LibC 0.5.0 lacks, under C's own names and in C's own shapes: signatures, numbers and structs, nothing that decides anything.
// A test compiles a C program that asserts every number and offset in this file against the machine's own headers.
#pragma warning disable CS8981 // C's own names are lower case

using System.Runtime.InteropServices;
using Tmds.Linux;

namespace ShmIpc.Interop;

internal static unsafe partial class LibCExtras
{
    public const int FUTEX_WAIT = 0;
    public const int FUTEX_WAKE = 1;
    public const int FUTEX_PRIVATE_FLAG = 128;
    public const int FUTEX_32 = 2;
    public const int FUTEX_WAITV_MAX = 128;

    public const int MEMBARRIER_CMD_GLOBAL_EXPEDITED = 1 << 1;
    public const int MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 1 << 2;

    public const int MADV_COLD = 20;
    public const int MADV_PAGEOUT = 21;
    public const int MADV_POPULATE_READ = 22;
    public const int MADV_POPULATE_WRITE = 23;
    public const int MADV_COLLAPSE = 25;

    public const uint MFD_NOEXEC_SEAL = 8;
    public const int MFD_HUGE_SHIFT = 26;

    public const int F_SEAL_FUTURE_WRITE = 0x10;
    public const int F_SEAL_EXEC = 0x20;

    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;

    public const int CLOCK_MONOTONIC = 1;

    public const int RLIMIT_FSIZE = 1;
    public const int RLIMIT_DATA = 2;
    public const int RLIMIT_STACK = 3;
    public const int RLIMIT_NPROC = 6;
    public const int RLIMIT_NOFILE = 7;
    public const int RLIMIT_MEMLOCK = 8;
    public const int RLIMIT_AS = 9;

    public const long TMPFS_MAGIC = 0x01021994;
    public const long HUGETLBFS_MAGIC = 0x958458F6;
    public const long EXT4_SUPER_MAGIC = 0xEF53;
    public const long XFS_SUPER_MAGIC = 0x58465342;
    public const long BTRFS_SUPER_MAGIC = 0x9123683E;
    public const long OVERLAYFS_SUPER_MAGIC = 0x794C7630;
    public const long NFS_SUPER_MAGIC = 0x6969;
    public const long SMB_SUPER_MAGIC = 0x517B;
    public const long CIFS_SUPER_MAGIC = 0xFF534D42;
    public const long SMB2_SUPER_MAGIC = 0xFE534D42;
    public const long CEPH_SUPER_MAGIC = 0x00C36400;
    public const long AFS_SUPER_MAGIC = 0x5346414F;
    public const long FUSE_SUPER_MAGIC = 0x65735546;
    public const long V9FS_MAGIC = 0x01021997;

    private static readonly bool _arm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static int SYS_futex => _arm64 ? 98 : 202;
    public static int SYS_futex_waitv => 449;
    public static int SYS_membarrier => _arm64 ? 283 : 324;
    public static int SYS_cachestat => 451;
    public static int SYS_gettid => _arm64 ? 178 : 186;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fstatfs(int fd, statfs* buf);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getrlimit(int resource, rlimit* rlim);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int mincore(void* addr, nuint length, byte* vec);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int clock_gettime(int clockid, timespec* tp);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendmsg(int sockfd, msghdr* msg, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recvmsg(int sockfd, msghdr* msg, int flags);

    /// <summary>One futex to wait on, of <c>futex_waitv</c>.</summary>
    public struct futex_waitv
    {
        public ulong val;
        public ulong uaddr;
        public uint flags;
        public uint __reserved;
    }

    /// <summary>What <c>fstatfs</c> says; the same on x64 and arm64.</summary>
    public struct statfs
    {
        public long f_type;
        public long f_bsize;
        public ulong f_blocks;
        public ulong f_bfree;
        public ulong f_bavail;
        public ulong f_files;
        public ulong f_ffree;
        public ulong f_fsid;
        public long f_namelen;
        public long f_frsize;
        public long f_flags;
        public fixed long f_spare[4];
    }

    /// <summary>A message of <c>sendmsg</c>, as glibc has it.</summary>
    public struct msghdr
    {
        public void* msg_name;
        public uint msg_namelen;
        public iovec* msg_iov;
        public nuint msg_iovlen;
        public void* msg_control;
        public nuint msg_controllen;
        public int msg_flags;
    }

    /// <summary>The head of one item of control data, as glibc has it; its data follows.</summary>
    public struct cmsghdr
    {
        public nuint cmsg_len;
        public int cmsg_level;
        public int cmsg_type;
    }

    public struct iovec
    {
        public void* iov_base;
        public nuint iov_len;
    }

    public struct rlimit
    {
        public ulong rlim_cur;
        public ulong rlim_max;
    }
}
