// The kernel calls that make the faults: limits, mounts, other users.

using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmIpc.ProcessTests.Harness;

internal static partial class Linux
{
    public const int RLIMIT_FSIZE = 1;
    public const int RLIMIT_NPROC = 6;
    public const int RLIMIT_NOFILE = 7;
    public const int RLIMIT_MEMLOCK = 8;
    public const int RLIMIT_AS = 9;
    public const nuint MS_RDONLY = 1;
    public const nuint MS_REMOUNT = 32;

    /// <summary>Sets this process's soft limit, and says what it was.</summary>
    public static ulong Limit(int resource, ulong soft)
    {
        Check(getrlimit(resource, out ResourceLimit limit));
        ulong before = limit.Soft;
        limit.Soft = Math.Min(soft, limit.Hard);
        Check(setrlimit(resource, limit));
        return before;
    }

    /// <summary>Mounts a tmpfs, or changes one with <see cref="MS_REMOUNT"/>, in this process's own mount namespace.</summary>
    public static void MountTmpfs(string target, string options, nuint flags = 0) => Check(mount("tmpfs", target, "tmpfs", flags, options));

    public static void ChangeOwner(string path, uint user, uint group) => Check(chown(path, user, group));

    /// <summary>This process goes on as another user, with no other groups, and may be looked into as before.</summary>
    public static unsafe void BecomeUser(uint user, uint group)
    {
        RuntimeHelpers.RunClassConstructor(typeof(ShmException).TypeHandle); // loaded while its folder may be looked into
        Check(setgroups(0, null));
        Check(setresgid(group, group, group));
        Check(setresuid(user, user, user));
        Check(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); // what exec would do: /proc/self is this user's again
    }

    /// <summary>What a daemon is that changed its user without exec, and what hides from debuggers: its own /proc/self is root's.</summary>
    public static void BecomeUndumpable() => DisableCoreDump();

    /// <summary>Another descriptor of the same file, the lowest number that is free; -1 when the limit is reached.</summary>
    public static int Duplicate(int descriptor) => dup(descriptor);

    public static void Close(int descriptor) => Check(close(descriptor));

    /// <summary>The one process whose parent that one is, as this process sees it.</summary>
    public static int OnlyChildOf(int processId)
    {
        int found = 0;
        Eventually.True(
            () =>
            {
                string children = File.ReadAllText($"/proc/{processId}/task/{processId}/children");
                return int.TryParse(children, out found);
            },
            $"process {processId} has one child");
        return found;
    }

    private static void Check(int result, [CallerArgumentExpression(nameof(result))] string what = "")
    {
        if (result != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{what} failed: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, out ResourceLimit limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint user, uint group);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int setgroups(nuint count, uint* groups);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setresgid(uint real, uint effective, uint saved);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setresuid(uint real, uint effective, uint saved);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup(int descriptor);

    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
