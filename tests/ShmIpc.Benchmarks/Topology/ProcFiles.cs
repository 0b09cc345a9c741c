// What the kernel says of this process and its threads.

using ShmIpc.Interop;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;

namespace ShmIpc.Benchmarks.Topology;

internal static class ProcFiles
{
    private const int CLOCK_THREAD_CPUTIME_ID = 3;
    private const int BlockBytes = 512;
    private const string OwnThread = "/proc/thread-self";
    private const string Threads = "/proc/self/task";

    /// <summary>Processor time of the calling thread, in nanoseconds.</summary>
    public static unsafe long ThreadCpuNs()
    {
        timespec time;
        if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0)
        {
            throw new InvalidOperationException("The kernel does not say how much processor time this thread has used.");
        }

        return ((long)time.tv_sec * 1_000_000_000) + (long)time.tv_nsec;
    }

    /// <summary>Processor time of the threads of one name, and how often they have gone to sleep, which is how often they woke.</summary>
    /// <param name="name">Null: all but the calling one.</param>
    public static (long CpuNs, long Sleeps) ThreadCosts(string? name)
    {
        string own = Path.GetFileName(new FileInfo(OwnThread).LinkTarget!);
        long cpu = 0;
        long sleeps = 0;
        foreach (string thread in Directory.GetDirectories(Threads).Where(thread => Path.GetFileName(thread) != own))
        {
            if (name is not null && File.ReadAllText(Path.Combine(thread, "comm")).TrimEnd() != name)
            {
                continue;
            }

            cpu += long.Parse(File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ')[0]);
            sleeps += Field(Path.Combine(thread, "status"), "voluntary_ctxt_switches:");
        }

        return (cpu, sleeps);
    }

    /// <summary>Memory that is this process's alone: its heaps and stacks, and the page tables of its mappings; not the channels.</summary>
    public static long PrivateBytes() =>
        1024 * (Field("/proc/self/smaps_rollup", "Anonymous:") + Field("/proc/self/status", "VmPTE:"));

    /// <summary>Bytes that the file system has given to a file.</summary>
    public static unsafe long AllocatedBytes(string path)
    {
        using FileStream file = File.OpenRead(path);
        stat status;
        if (LibC.fstat((int)file.SafeFileHandle.DangerousGetHandle(), &status) != 0)
        {
            throw new IOException($"The kernel does not say how large {path} is.");
        }

        return (long)status.st_blocks * BlockBytes;
    }

    private static long Field(string path, string name)
    {
        string line = File.ReadLines(path).First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[0]);
    }
}
