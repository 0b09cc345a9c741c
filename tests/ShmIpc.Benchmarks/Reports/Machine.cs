// Where a run took place: figures mean nothing without it.

using System.Runtime.InteropServices;

namespace ShmIpc.Benchmarks.Reports;

internal sealed record Machine(
    string Processor, int Processors, string Kernel, string Runtime, string LoadBefore, string Cpus, DateTimeOffset Started)
{
    public static Machine Describe(Plan plan) => new(
        ProcessorName(),
        Environment.ProcessorCount,
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)),
        $"{plan.Cpus.First},{plan.Cpus.Second}",
        DateTimeOffset.UtcNow);

    private static string ProcessorName()
    {
        string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
