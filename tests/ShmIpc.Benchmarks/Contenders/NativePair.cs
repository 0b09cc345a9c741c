// A C program that forks, so that it too is two processes. It prints one JSON line and ends by itself.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Contenders;

/// <param name="name">Stands in the tables.</param>
/// <param name="program">Its file name among the compiled C programs.</param>
/// <param name="mode">Its first argument.</param>
/// <param name="sizes">What follows the path: capacity and payload, or the payload alone.</param>
/// <param name="last">Anything behind the processors.</param>
internal sealed class NativePair(string name, string program, string mode, long[] sizes, params string[] last) : Contender(name)
{
    // C is as fast at its first message as at its last; only the memory and the processor's frequency warm up.
    private static readonly TimeSpan _warmUp = TimeSpan.FromMilliseconds(50);

    /// <summary>A mode in which the program says, by its exit code and its error output, whether it can run here; null: it can.</summary>
    public string? Probe { get; init; }

    public override string? Unavailable(Plan plan) => plan.NativeDirectory is null ? "no C compiler" : Probe is null ? null : Refusal(plan);

    public override async Task<Observation> ObserveAsync(Plan plan, string directory, CancellationToken cancellation)
    {
        string[] arguments =
        [
            mode, Path.Combine(directory, "shared"), .. sizes.Select(s => s.ToString(CultureInfo.InvariantCulture)),
            Milliseconds(_warmUp), Milliseconds(plan.Measure), plan.Cpus.First.ToString(CultureInfo.InvariantCulture),
            plan.Cpus.Second.ToString(CultureInfo.InvariantCulture), .. last,
        ];
        using ChildProcess process = new(Path.Combine(plan.NativeDirectory!, program), arguments);
        string line = await process.ReadLineAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return new Observation(Sample.Parse(line), null);
    }

    private string? Refusal(Plan plan)
    {
        using Process process = Process.Start(new ProcessStartInfo(Path.Combine(plan.NativeDirectory!, program), [Probe!])
        {
            RedirectStandardError = true,
        })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : error.Trim();
    }

    private static string Milliseconds(TimeSpan duration) => ((long)duration.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
