// Child processes: forked, started, signalled and waited for. A process is known by its pidfd, which cannot come to mean another one.
// Threads: a child's death signal follows the thread that made it, so whoever starts children does so from a thread that lasts.

using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class LinuxChild
{
    /// <summary>The signals to which a runtime reacts in ways that are wrong in a forked child.</summary>
    private static readonly int[] _forkedSignals = [SIGINT, SIGQUIT, SIGTERM, SIGCHLD];

    /// <summary>Does the C library have the fork that runs no handlers and leaves the stacks of the other threads alone?</summary>
    public static bool HasFork
    {
        get
        {
            var library = System.Runtime.InteropServices.NativeLibrary.Load("libc.so.6");
            return System.Runtime.InteropServices.NativeLibrary.TryGetExport(library, "_Fork", out _);
        }
    }

    /// <summary>Forks. The child has no thread but the calling one, and must leave by <see cref="Exit"/>.</summary>
    /// <returns>The child's id; in the child 0.</returns>
    public static int Fork()
    {
        var child = _Fork();
        return child >= 0 ? child : throw LinuxError.ToException(errno, "_Fork", "", ForkCure);
    }

    /// <summary>Ends the process at once: nothing of the runtime runs any more.</summary>
    public static void Exit(int code) => _exit(code);

    /// <summary>In a child: end with the thread that made it. False when that has ended already.</summary>
    public static bool DieWithParent(int parentId)
    {
        _ = prctl(PR_SET_PDEATHSIG, (ulong)(int)SIGKILL, 0, 0, 0);
        return getppid() == parentId;
    }

    /// <summary>In a forked child: signals end it as they would end any program; the runtime's handlers act on the parent.</summary>
    public static void ResetSignals()
    {
        foreach (var signal in _forkedSignals)
        {
            var action = default(sigaction); // SIG_DFL is zero
            _ = sigaction(signal, &action, null);
        }
    }

    /// <summary>In a process that only serves another: what a terminal or a service manager sends to all of them is the other's to answer.
    /// A child that is forked resets it.</summary>
    public static void IgnoreStops()
    {
        var action = new sigaction { sa_handler = SIG_IGN };
        _ = sigaction(SIGINT, &action, null);
        _ = sigaction(SIGTERM, &action, null);
    }

    /// <summary>A descriptor of a child that has not been waited for; null when it is gone already.</summary>
    public static SafeFileHandle? TryOpen(int processId)
    {
        var descriptor = (int)(ssize_t)syscall(SYS_pidfd_open, processId, 0);
        if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true); // always close-on-exec
        var failure = errno;
        return failure == ESRCH ? null : throw LinuxError.ToException(failure, "pidfd_open", $"process {processId}");
    }

    /// <summary>As <see cref="TryOpen"/>, for a child that was just made: it is killed and reaped when there is no descriptor for it,
    /// because nobody would know of it.</summary>
    public static SafeFileHandle? OpenOrKill(int processId)
    {
        try
        {
            return TryOpen(processId);
        }
        catch
        {
            Kill(processId);
            int status;
            while (waitpid(processId, &status, 0) < 0 && errno == EINTR)
            {
            }

            throw;
        }
    }

    /// <summary>Sends a signal; false when the process has ended.</summary>
    public static bool TrySignal(SafeFileHandle process, int signal)
    {
        using var descriptor = new BorrowedDescriptor(process);
        if ((int)(ssize_t)syscall(SYS_pidfd_send_signal, descriptor.Number, signal, 0, 0) == 0) return true;
        var failure = errno;
        return failure == ESRCH
            ? false
            : throw LinuxError.ToException(failure, "pidfd_send_signal", $"signal {signal}");
    }

    /// <summary>Kills a process that has just been started and whose descriptor cannot be had.</summary>
    public static void Kill(int processId) => _ = kill(processId, SIGKILL);

    /// <summary>Why descriptors that were sent did not arrive.</summary>
    public static string TooManyFiles(string process) =>
        $"{process} has as many files open as RLIMIT_NOFILE lets it; raise it with `ulimit -n`.";

    /// <summary>Takes the exit status of a child that has ended. Never waits.</summary>
    /// <param name="processId">The child.</param>
    /// <param name="status">As C has it: the low 7 bits are the signal, else the next 8 bits the exit code.</param>
    /// <returns>False when it has not ended, or when somebody else has taken its status.</returns>
    public static bool TryReap(int processId, out int status)
    {
        int ended;
        int result;
        do
        {
            result = waitpid(processId, &ended, WNOHANG);
        }
        while (result < 0 && errno == EINTR);
        status = result == processId ? ended : 0;
        return result == processId;
    }

    internal static string ForkCure => "The user may have as many processes and threads as RLIMIT_NPROC lets it, " +
        $"{LinuxLimits.Text(RLIMIT_NPROC, "")} (`ulimit -u`); or a control group's limit (pids.max) is reached, or the memory used up.";
}
