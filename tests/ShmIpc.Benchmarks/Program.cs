// The benchmarks' command line. `./bench.sh` at the root of the repository builds everything and calls it; `child` is this same
// program as one process of a measurement.

using System.CommandLine;
using System.Runtime.Versioning;
using ShmIpc.Benchmarks.Children;
using ShmIpc.Benchmarks.Reports;
using ShmIpc.Benchmarks.Scenarios;
using ShmIpc.Benchmarks.Topology;

[assembly: SupportedOSPlatform("linux")]

namespace ShmIpc.Benchmarks;

internal static class Program
{
    private static int Main(string[] arguments) => arguments switch
    {
        [ChildProgram.Verb, string settings] => ChildProgram.Run(settings), // on the main thread, with nothing else started
        [PartProgram.Verb, string settings] => PartProgram.Run(settings),
        _ => CreateCommand().Parse(arguments).InvokeAsync().GetAwaiter().GetResult(),
    };

    private static RootCommand CreateCommand()
    {
        Option<bool> quick = new("--quick") { Description = "Fewer and shorter repetitions: under three minutes in all." };
        Option<string?> only = new("--only") { Description = "Only the scenarios whose name contains this.", HelpName = "PATTERN" };
        Option<bool> list = new("--list") { Description = "Print the names of the scenarios and end." };
        Option<int?> repetitions = new("--repetitions") { Description = "Runs of each contender (quick: 5, else 15).", HelpName = "N" };
        Option<CpuPair?> cpus = new("--cpus")
        {
            Description = "The two processors, like 2,3 (default: two cores).",
            HelpName = "A,B",
            CustomParser = result =>
            {
                CpuPair? pair = CpuPair.TryParse(result.Tokens[0].Value);
                if (pair is null)
                {
                    result.AddError("--cpus takes two processors below 64, like 2,3.");
                }

                return pair;
            },
        };
        Option<string?> native = new("--native")
        {
            Description = "Where the compiled C programs are; without it they count as not measured: no C compiler.",
            HelpName = "DIRECTORY",
        };
        Option<string> output = new("--output")
        {
            Description = "Where results.json and results.md go.",
            HelpName = "DIRECTORY",
            DefaultValueFactory = _ => Path.Combine("artifacts", "bench"),
        };
        repetitions.Validators.Add(result =>
        {
            if (result.GetValue(repetitions) < 1)
            {
                result.AddError("--repetitions must be at least 1.");
            }
        });

        RootCommand command = new("Measures ShmIpc beside C programs and Unix sockets, each in two processes on two processors.")
        {
            quick, only, list, repetitions, cpus, native, output,
        };
        command.SetAction((parsed, cancellation) =>
        {
            string pattern = parsed.GetValue(only) ?? "";
            Scenario[] scenarios = [.. Scenario.All.Where(s => s.Name.Contains(pattern, StringComparison.OrdinalIgnoreCase))];
            if (parsed.GetValue(list))
            {
                Array.ForEach(scenarios, s => Console.WriteLine(s.Name));
                return Task.FromResult(0);
            }

            if (scenarios.Length == 0)
            {
                Console.Error.WriteLine($"No scenario's name contains \"{pattern}\"; --list prints them.");
                return Task.FromResult(2);
            }

            Plan plan = Plan.Create(parsed.GetValue(quick), parsed.GetValue(cpus) ?? CpuPair.Choose(), parsed.GetValue(native));
            plan = plan with { Repetitions = parsed.GetValue(repetitions) ?? plan.Repetitions };
            return MeasureAsync(plan, scenarios, parsed.GetValue(output)!, cancellation);
        });
        return command;
    }

    private static async Task<int> MeasureAsync(Plan plan, Scenario[] scenarios, string output, CancellationToken cancellation)
    {
        Machine machine = Machine.Describe(plan);
        Directory.CreateDirectory(output);
        using ScratchRoot scratch = new();
        using ScratchRoot disk = new(Path.GetFullPath(output));
        Driver driver = new(plan with { DiskDirectory = disk.Directory }, scratch, Console.Error.WriteLine);
        Report report = new(machine, plan, await driver.RunAsync(scenarios, cancellation));
        JsonReport.Write(report, Path.Combine(output, "results.json"));
        MarkdownReport.Write(report, Path.Combine(output, "results.md"));
        ConsoleReport.Print(report);
        Console.WriteLine($"Written to {output}: results.json, results.md.");
        return driver.AnyFailed ? 1 : 0;
    }
}
