// The two processors of every measurement: of those this process may use, the first two that are not one core's hyper-threads.

namespace ShmIpc.Benchmarks;

internal sealed record CpuPair(int First, int Second)
{
    /// <exception cref="InvalidOperationException">There are not two.</exception>
    public static CpuPair Choose()
    {
        string field = "Cpus_allowed_list:";
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field, StringComparison.Ordinal));
        List<int> allowed = ParseList(line[field.Length..]).FindAll(cpu => cpu < 64); // what Process.ProcessorAffinity can say
        foreach (int second in allowed.Skip(1))
        {
            if (!SiblingsOf(allowed[0]).Contains(second))
            {
                return new CpuPair(allowed[0], second);
            }
        }

        throw new InvalidOperationException("The benchmarks need two cores: with one, two spinning processes only measure the scheduler.");
    }

    /// <summary>Two numbers with a comma between them, or null.</summary>
    public static CpuPair? TryParse(string text) =>
        text.Split(',') is [{ } first, { } second] && int.TryParse(first, out int a) && int.TryParse(second, out int b)
        && a is >= 0 and < 64 && b is >= 0 and < 64 && a != b
            ? new CpuPair(a, b)
            : null;

    private static List<int> SiblingsOf(int cpu)
    {
        string path = $"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list";
        return File.Exists(path) ? ParseList(File.ReadAllText(path)) : [cpu];
    }

    // "0-3,8" as the kernel writes it.
    private static List<int> ParseList(string text)
    {
        List<int> cpus = [];
        foreach (string range in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            int start = int.Parse(ends[0]);
            cpus.AddRange(Enumerable.Range(start, int.Parse(ends[^1]) - start + 1));
        }

        return cpus;
    }
}
