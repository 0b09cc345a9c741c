// The few kernel calls that the tests make themselves, apart from the library under test.

using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ShmIpc.ProcessTests.Harness;

internal static partial class Linux
{
    public const int SIGABRT = 6;
    private const int SIGINT = 2;
    private const int SIGQUIT = 3;
    private const int SIGTERM = 15;
    private const int SIGCHLD = 17;
    private const nint SIG_DFL = 0;
    private const nint SIG_IGN = 1;
    public const int SIGBUS = 7;
    public const int SIGKILL = 9;
    public const int SIGUSR1 = 10;
    public const int SIGSEGV = 11;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;
    private const int PR_SET_PDEATHSIG = 1;
    private const int PR_SET_DUMPABLE = 4;
    private const int PR_SET_SECCOMP = 22;
    private const int PR_SET_PTRACER = 0x59616D61;
    private const int Marker = -1234;
    private const int SECCOMP_MODE_STRICT = 1;
    private const int SIG_BLOCK = 0;
    private const int SignalSetBytes = 128;
    private const int LOCK_SH = 1;
    private const int O_RDONLY = 0;
    private const int F_SETFD = 2;
    private const int X_OK = 1;
    public const int EROFS = 30;

    /// <summary>As uname -r says.</summary>
    public static string KernelRelease => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    public static void Signal(int processId, int signal)
    {
        if (!TrySignal(processId, signal))
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"kill({processId}, {signal}) failed");
        }
    }

    /// <summary>False when the process is not there, or not ours.</summary>
    public static bool TrySignal(int processId, int signal) => kill(processId, signal) == 0;

    /// <summary>The kernel kills this process when its parent's launching thread ends; at once if the parent is gone already. Parent 0: a
    /// case that somebody repeats by hand.</summary>
    public static void DieWithParent(int parentId)
    {
        _ = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (parentId != ChildProcess.NoParent && getppid() != parentId)
        {
            Environment.Exit(1);
        }
    }

    /// <summary>This process is going to crash on purpose: no core dump.</summary>
    public static void DisableCoreDump() => _ = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

    /// <summary>Any process of this user may watch this one, also where only its ancestors may by default.</summary>
    public static void AllowTracing() => _ = prctl(PR_SET_PTRACER, nuint.MaxValue, 0, 0, 0);

    /// <summary>A system call that fails and does nothing: whoever watches this thread knows it.</summary>
    public static void Mark() => _ = getpgid(Marker);

    /// <summary>From here on any system call of this thread but read, write and exit ends it at once. False where the kernel cannot.</summary>
    public static bool TryForbidSystemCalls() => prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0;

    /// <summary>Waits for whoever has locked the file (FileShare.None), and no garbage collection can begin meanwhile: to the runtime, this
    /// thread runs managed code and does not come to a place where it can be suspended. No signal ends the wait.</summary>
    public static unsafe void WaitUnsuspended(string lockedFile)
    {
        Span<byte> all = stackalloc byte[SignalSetBytes];
        all.Fill(0xFF);
        fixed (byte* set = all)
        {
            _ = pthread_sigmask(SIG_BLOCK, set, null);
        }

        int file = open(lockedFile, O_RDONLY);
        if (file < 0 || WaitUnsuspended(file, LOCK_SH) != 0)
        {
            throw new Win32Exception($"Cannot wait for the lock of {lockedFile}.");
        }

        _ = close(file);
    }

    /// <summary>One write(2) to standard output and nothing else.</summary>
    public static unsafe void WriteRaw(ReadOnlySpan<byte> text)
    {
        fixed (byte* start = text)
        {
            _ = write(1, start, (nuint)text.Length);
        }
    }

    /// <summary>Runs <paramref name="body"/> in a forked child of this process and returns its exit code, 128 + n after signal n.</summary>
    /// <remarks>A .NET process survives that when it was started without W^X, tiering, background GC and diagnostics, is quiescent,
    /// uses <c>_Fork</c>, and when the child runs managed code on a new thread only and leaves by <c>_exit</c>.</remarks>
    public static int RunForked(Func<int> body) => WaitForForked(StartForked(body));

    /// <summary>Begins <paramref name="body"/> in a forked child of this process, as <see cref="RunForked"/> does, and returns the child's
    /// id.</summary>
    public static int StartForked(Func<int> body)
    {
        int child = Fork();
        if (child == 0)
        {
            foreach (int number in (int[])[SIGINT, SIGQUIT, SIGTERM])
            {
                _ = signal(number, SIG_DFL); // the runtime's handler would signal the parent
            }

            _ = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
            int code = 1;
            Thread thread = new(() => code = body());
            thread.Start();
            thread.Join();
            Exit(code);
        }

        return child > 0 ? child : throw new Win32Exception(Marshal.GetLastPInvokeError(), "fork failed");
    }

    /// <summary>Waits for the end of a forked child; its exit code, 128 + n after signal n.</summary>
    public static int WaitForForked(int child)
    {
        if (waitpid(child, out int status, 0) != child)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "waitpid failed");
        }

        return (status & 0x7F) == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F);
    }

    /// <summary>The state letters of all threads of a process but those of one name, from /proc.</summary>
    public static string ThreadStates(int processId, string exceptName = "")
    {
        string states = "";
        foreach (string thread in Directory.GetDirectories($"/proc/{processId}/task"))
        {
            if (exceptName.Length > 0 && ThreadName(thread) == exceptName)
            {
                continue;
            }

            try
            {
                states += StatFields(thread)[0];
            }
            catch (IOException)
            {
                // the thread ended between the listing and the look
            }
        }

        return states;
    }

    /// <summary>Processor time that the threads of a process have used, those that live, to the nanosecond.</summary>
    public static TimeSpan ProcessorTime(int processId)
    {
        long nanoseconds = 0;
        foreach (string thread in Directory.GetDirectories($"/proc/{processId}/task"))
        {
            try
            {
                nanoseconds += long.Parse(File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // the thread ended between the listing and the look
            }
        }

        return TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
    }

    /// <summary>The state letter of a thread, and how often it was given a processor.</summary>
    public static (char State, long Times) Runs(string taskDirectory) => (
        StatFields(taskDirectory)[0][0],
        long.Parse(File.ReadAllText(Path.Combine(taskDirectory, "schedstat")).Split(' ')[2], CultureInfo.InvariantCulture));

    /// <summary>True when a thread of the process waits for a lock of a file.</summary>
    public static bool WaitsForFileLock(int processId)
    {
        string id = processId.ToString(CultureInfo.InvariantCulture);
        return File.ReadLines("/proc/locks")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) // 1: -> FLOCK ADVISORY READ 123 00:1b:7 0 EOF
            .Any(words => words.Length > 5 && words[1] == "->" && words[5] == id);
    }

    /// <summary>Programs that this process starts inherit the descriptor.</summary>
    public static void MakeInheritable(SafeHandle file) => _ = fcntl((int)file.DangerousGetHandle(), F_SETFD, 0);

    /// <summary>The name of a thread, of which the kernel keeps 15 letters; empty when it has ended.</summary>
    public static string ThreadName(string taskDirectory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(taskDirectory, "comm")).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>The parent of a process that is there.</summary>
    public static int ParentOf(int processId) => int.Parse(StatFields($"/proc/{processId}")[1], CultureInfo.InvariantCulture);

    /// <summary>False for a process that is not there, or has ended and was not reaped.</summary>
    public static bool IsRunning(int processId)
    {
        try
        {
            return StatFields($"/proc/{processId}")[0] is not ("Z" or "X");
        }
        catch (IOException)
        {
            return false;
        }
    }

    public static int ParentId() => getppid();

    /// <summary>What the descriptors of a process stand for.</summary>
    public static List<string> OpenFiles(int processId) =>
        [.. Directory.GetFiles($"/proc/{processId}/fd").Select(file => new FileInfo(file).LinkTarget).OfType<string>()];

    /// <summary>Ids of the processes whose parent is this one.</summary>
    public static List<int> Children()
    {
        string self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        List<int> children = [];
        foreach (string process in Directory.GetDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(process), out int id) && StatFields(process)[1] == self)
                {
                    children.Add(id);
                }
            }
            catch (IOException)
            {
                // gone meanwhile
            }
        }

        return children;
    }

    /// <summary>The fields of a stat file from the third (state) on; the second, the name, may hold anything.</summary>
    private static string[] StatFields(string directory)
    {
        string stat = File.ReadAllText(Path.Combine(directory, "stat"));
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    /// <summary>From now on the kernel reaps this process's children, and nobody learns how they ended.</summary>
    public static void IgnoreChildren() => _ = signal(SIGCHLD, SIG_IGN);

    /// <summary>Whether the kernel would run a file: it has the right bits, and its file system is not mounted with noexec.</summary>
    public static bool MayRun(string path) => access(path, X_OK) == 0;

    /// <summary>C's abort.</summary>
    [LibraryImport("libc", EntryPoint = "abort")]
    public static partial void Abort();

    /// <summary>A bad access in native code, of which the runtime makes no exception.</summary>
    public static void Fault() => _ = memset(16, 1, 1);

    [LibraryImport("libc")]
    private static partial nint memset(nint address, int value, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int sig);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int access(string path, int mode);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc")]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "flock"), SuppressGCTransition]
    private static partial int WaitUnsuspended(int fd, int operation);

    [LibraryImport("libc")]
    private static unsafe partial int pthread_sigmask(int how, byte* set, byte* old);

    [LibraryImport("libc")]
    private static partial int getppid();

    [LibraryImport("libc")]
    [SuppressGCTransition]
    private static partial int getpgid(int pid);

    [LibraryImport("libc", EntryPoint = "_Fork", SetLastError = true)]
    private static partial int Fork();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);

    [LibraryImport("libc")]
    private static unsafe partial nint write(int fd, byte* buf, nuint count);
}
