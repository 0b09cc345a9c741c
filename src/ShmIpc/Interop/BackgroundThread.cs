// The library's own threads. One that cannot be started is an exception of whoever needed it, with the limit that may be behind it.

using static ShmIpc.Interop.LibCExtras;

namespace ShmIpc.Interop;

internal static class BackgroundThread
{
    /// <summary>Starts a thread that does not keep the process from ending.</summary>
    /// <exception cref="ShmException">The kernel, or the machine's memory, has no room for another thread.</exception>
    public static Thread Start(Action run, string name)
    {
        try
        {
            Thread thread = new(new ThreadStart(run)) { IsBackground = true, Name = name };
            thread.Start();
            return thread;
        }
        catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
        {
            throw NotStarted($"The thread \"{name}\"", error);
        }
    }

    /// <summary>The exception of whoever needs a thread that could not be started.</summary>
    public static ShmException NotStarted(string thread, Exception error) => new(
        $"{thread} could not be started. The user may have as many processes and threads as RLIMIT_NPROC lets it, " +
        $"{LinuxLimits.Text(RLIMIT_NPROC, "")} (`ulimit -u`); or the process as many open files as RLIMIT_NOFILE lets it, " +
        $"{LinuxLimits.Text(RLIMIT_NOFILE, "")} (`ulimit -n`); or a control group's limit (pids.max), the address space or the " +
        "memory is used up. Raise what is too low, or end what is not needed.",
        error);
}
