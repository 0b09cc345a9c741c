// worker-pool table: what the start modes cost on this machine, as the table of docs/workers.md.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Pool.Commands;

internal static class TableCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var runs = new Option<int>("--runs")
        {
            Description = "How often each is done; the table has the medians",
            HelpName = "N",
            DefaultValueFactory = _ => 9,
        };
        var workers = new Option<int>("--workers")
        {
            Description = "How many workers the larger pool has, from 2",
            HelpName = "N",
            DefaultValueFactory = _ => 4,
        };
        var command = new Command("table", "Measures start-up and memory of each start mode, and prints a Markdown table") { runs, workers };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(runs), parsed.GetRequiredValue(workers)));
        return command;
    }

    private static void Run(int runs, int workers)
    {
        if (runs < 1 || workers is < 2 or > 32)
            throw new ExampleException(ExitCode.Failed, "--runs is 1 or more, and --workers from 2 to 32.");
        string processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
        Console.WriteLine($"{processor}, {Environment.ProcessorCount} processors, Linux {Environment.OSVersion.Version}, "
            + $"{RuntimeInformation.FrameworkDescription}; medians of {runs}.\n");
        Console.WriteLine($"| mode | a pool of 1 is ready | its first job is answered | a pool of {workers} is ready | each further worker "
            + $"| a worker of {workers} took | its PSS | private |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (string mode in PoolSettings.Modes)
        {
            double[] one = Medians(mode, 1, runs);
            double[] all = Medians(mode, workers, runs);
            double each = (all[0] - one[0]) / (workers - 1);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| `{mode}` | {one[0]:0.0} ms | {one[1]:0.0} ms | {all[0]:0.0} ms | {each:0.0} ms | {all[2]:0.0} ms ")
                + $"| {ByteSize.Format(all[3])} | {ByteSize.Format(all[4])} |");
        }
    }

    private static double[] Medians(string mode, int workers, int runs)
    {
        List<double[]> all = [.. Enumerable.Range(0, runs).Select(_ => Probe(mode, workers))];
        return [.. Enumerable.Range(0, all[0].Length).Select(column => all.Select(run => run[column]).Order().ElementAt(runs / 2))];
    }

    private static double[] Probe(string mode, int workers)
    {
        using var program = Process.Start(new ProcessStartInfo(Program(), [.. Assembly(), "probe", mode, $"{workers}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = program.StandardError.ReadToEndAsync();
        Task<string> output = program.StandardOutput.ReadToEndAsync();
        if (!program.WaitForExit(_patience))
        {
            program.Kill();
            throw new ExampleException(ExitCode.Failed, $"A pool of mode {mode} did not come to an end within a minute.");
        }
        return program.ExitCode == 0
            ? [.. output.Result.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))]
            : throw new ExampleException(ExitCode.Failed, $"A pool of mode {mode} does not start: {errors.Result.Trim()}");
    }

    private static string Program() => Environment.ProcessPath!;

    // `dotnet worker-pool.dll` needs its program named; the application host does not.
    private static string[] Assembly() =>
        Path.GetFileName(Program()) == "dotnet" ? [Path.Combine(AppContext.BaseDirectory, "worker-pool.dll")] : [];
}
