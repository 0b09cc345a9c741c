// Where a run took place, and of what: figures mean nothing without it.

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace ShmIpc.Benchmarks.Reports;

internal sealed record Machine(
    string Processor,
    int Processors,
    string Caches,
    string Memory,
    string Kernel,
    string Runtime,
    string? Compiler,
    string LoadBefore,
    string Cpus,
    string? Commit,
    DateTimeOffset Started)
{
    public static Machine Describe(Plan plan) => new(
        ProcessorName(),
        Environment.ProcessorCount,
        CachesOf(plan.Cpus.First),
        FirstLine("/proc/meminfo") is { } line ? $"{Kibibytes(line) / (1024 * 1024):0.0} GiB" : "unknown",
        $"Linux {FirstLine("/proc/sys/kernel/osrelease")}, {RuntimeInformation.OSDescription}",
        RuntimeInformation.FrameworkDescription,
        plan.NativeDirectory is null ? null : FirstLineOf(Environment.GetEnvironmentVariable("CC") ?? "gcc", "--version"),
        string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)),
        $"{plan.Cpus.First},{plan.Cpus.Second}",
        CommitId(),
        DateTimeOffset.UtcNow);

    /// <summary>For a plot's title.</summary>
    [JsonIgnore]
    public string Short => $"{Processor}, {Processors} processors, {Runtime}";

    [JsonIgnore]
    public string Text =>
        $"{Processor}, {Processors} processors, {Kernel}, {Runtime}, commit {Commit ?? "unknown"}, load average before: {LoadBefore}";

    /// <summary>Everything, a line each: what, and its value.</summary>
    [JsonIgnore]
    public IEnumerable<(string What, string Value)> Facts
    {
        get
        {
            yield return ("processors", $"{Processors} of {Processor}; measured on {Cpus.Replace(",", " and ", StringComparison.Ordinal)}");
            yield return ("caches", Caches);
            yield return ("memory", Memory);
            yield return ("kernel", Kernel);
            yield return ("runtime", Runtime);
            yield return ("C compiler", Compiler ?? "none");
            yield return ("load average before", LoadBefore);
            yield return ("commit", Commit ?? "unknown");
            yield return ("when", Started.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        }
    }

    private static string ProcessorName()
    {
        string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    // "L1 Data 32K, L2 Unified 512K, L3 Unified 32768K", as the kernel tells it.
    private static string CachesOf(int cpu)
    {
        List<string> caches = [];
        for (int index = 0; FirstLine($"/sys/devices/system/cpu/cpu{cpu}/cache/index{index}/level") is { } level; index++)
        {
            string directory = $"/sys/devices/system/cpu/cpu{cpu}/cache/index{index}";
            if (FirstLine($"{directory}/type") is { } type && type != "Instruction" && FirstLine($"{directory}/size") is { } size)
            {
                caches.Add($"L{level} {size}");
            }
        }

        return caches.Count > 0 ? string.Join(", ", caches) : "unknown";
    }

    private static double Kibibytes(string line) =>
        double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    private static string? FirstLine(string path) => File.Exists(path) ? File.ReadLines(path).FirstOrDefault() : null;

    private static string? CommitId()
    {
        string? commit = FirstLineOf("git", "rev-parse", "--short=12", "HEAD");
        return commit is not null && FirstLineOf("git", "status", "--porcelain", "--untracked-files=no") is { Length: > 0 }
            ? commit + " and changes"
            : commit;
    }

    // Null when there is no such program, or it failed.
    private static string? FirstLineOf(string program, params string[] arguments)
    {
        try
        {
            ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output.Split('\n')[0].Trim() : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
