// On which processors this process may run. The kernel keeps that for each thread, and new threads inherit it.

using System.Globalization;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class LinuxProcessors
{
    private const string Line = "Cpus_allowed_list:";

    /// <summary>The processors that the calling thread may use, such as <c>0-3,6</c>, as the kernel says.</summary>
    public static string Allowed() =>
        File.ReadLines("/proc/thread-self/status")
            .FirstOrDefault(line => line.StartsWith(Line, StringComparison.Ordinal))?[Line.Length..].Trim() ?? "";

    /// <summary>Restricts every thread that there is. Returns why not, or null.</summary>
    /// <param name="processors">Numbers from 0 to 1023.</param>
    public static string? TryRestrict(IReadOnlyList<int> processors)
    {
        var set = default(cpu_set_t);
        foreach (var processor in processors)
        {
            ((byte*)&set)[processor / 8] |= (byte)(1 << (processor % 8));
        }

        foreach (var thread in Directory.GetDirectories("/proc/self/task"))
        {
            var id = int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture);
            if (sched_setaffinity(id, sizeof(cpu_set_t), &set) == 0) continue;
            var failure = errno;
            if (failure == ESRCH) continue; // the thread has ended
            return LinuxError.Describe(failure, "sched_setaffinity", string.Join(',', processors)) +
                (failure == EINVAL ? $" None of these is a processor that this process may use ({Allowed()})." : "");
        }

        return null;
    }
}
