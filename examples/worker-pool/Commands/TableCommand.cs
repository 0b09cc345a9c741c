// worker-pool table: what the start modes cost on this machine, as the table of docs/workers.md.
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Pool.Commands;

internal static class TableCommand
{
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
        Console.WriteLine($"| mode | a pool of 1 is ready | its first job is answered | its killed worker is replaced after "
            + $"| a pool of {workers} is ready | each further worker | a worker of {workers} took "
            + $"| processor time until all are ready | PSS of a worker | private |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (string mode in PoolSettings.Modes)
        {
            Func<Func<StartUp, double>, double> one = Measure(mode, 1, runs);
            Func<Func<StartUp, double>, double> all = Measure(mode, workers, runs);
            double ready = one(start => start.ReadyMilliseconds);
            double allReady = all(start => start.ReadyMilliseconds);
            Console.WriteLine($"| `{mode}` | {Time(ready)} | {Time(one(start => start.AnsweredMilliseconds))} "
                + $"| {Time(one(start => start.ReplacedMilliseconds))} | {Time(allReady)} | {Time((allReady - ready) / (workers - 1))} "
                + $"| {Time(all(start => start.TookMilliseconds))} | {Time(all(start => start.ProcessorMilliseconds))} "
                + $"| {ByteSize.Format(all(start => start.Memory.PssBytes))} | {ByteSize.Format(all(start => start.Memory.PrivateBytes))} |");
        }
    }

    // The medians of what was measured, for each figure that is asked for.
    private static Func<Func<StartUp, double>, double> Measure(string mode, int workers, int runs)
    {
        List<StartUp> all = [.. Enumerable.Range(0, runs).Select(_ => StartUp.Measure(mode, workers))];
        return figure => all.Select(figure).Order().ElementAt(runs / 2);
    }

    private static string Time(double milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0} ms");
}
