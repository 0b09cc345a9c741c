// What Tmds.LibC 0.5.0 lacks about processes, under C's own names; see LibCExtras.cs.
#pragma warning disable CS8981 // C's own names are lower case

using System.Runtime.InteropServices;
using Tmds.Linux;

namespace ShmIpc.Interop;

internal static unsafe partial class LibCExtras
{
    public const int PR_SET_PDEATHSIG = 1;
    public const int WNOHANG = 1;
    public const short POSIX_SPAWN_SETSIGDEF = 4;
    public const short POSIX_SPAWN_SETSIGMASK = 8;
    public const int SIG_SETMASK = 2;

    public static int SYS_pidfd_send_signal => 424;
    public static int SYS_pidfd_open => 434;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int _Fork();

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int prctl(int option, ulong argument2, ulong argument3, ulong argument4, ulong argument5);

    [LibraryImport("libc")]
    public static partial int posix_spawn(
        int* pid, byte* path, void* file_actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(void* file_actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(void* file_actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(void* file_actions, int fd, int newfd);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addopen(void* file_actions, int fd, byte* path, int flags, uint mode);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addclosefrom_np(void* file_actions, int from);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_destroy(void* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigdefault(void* attributes, sigset_t* signals);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigmask(void* attributes, sigset_t* signals);

    /// <summary>Tmds.LibC's own does not keep errno.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(pollfd* descriptors, ulong count, int timeout);
}
