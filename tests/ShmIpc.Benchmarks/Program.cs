// The benchmarks' command line. `./bench.sh` at the root of the repository builds everything and calls it; `child` is this same
// program as one process of a measurement.

using System.CommandLine;
using System.Runtime.Versioning;
using ShmIpc.Benchmarks.Pairs;
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
        Option<bool> quick = new("--quick")
        {
            Description = "The scenarios with a target, in fewer and shorter repetitions: under three minutes in all.",
        };
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
        Option<double?> minutes = new("--minutes")
        {
            Description = "How long the run may take (quick: 2.7, else 30): what comes late is measured less often.",
            HelpName = "N",
        };
        Option<double> spent = new("--spent") { Description = "Seconds of these minutes that the build took.", HelpName = "SECONDS" };
        Option<bool> sections = new("--sections")
        {
            Description = "Write the sections of docs/benchmarks.md even though the run is not a full one.",
        };
        Option<string> output = new("--output")
        {
            Description = "Where results.json, results.md, plots and sections go.",
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
            quick, only, list, repetitions, minutes, spent, cpus, native, sections, output,
        };
        command.SetAction((parsed, cancellation) =>
        {
            string pattern = parsed.GetValue(only) ?? "";
            bool isQuick = parsed.GetValue(quick);
            Scenario[] scenarios =
            [
                .. Scenario.All.Where(s => pattern.Length > 0
                    ? s.Name.Contains(pattern, StringComparison.OrdinalIgnoreCase)
                    : s.IsQuick || !isQuick),
            ];
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

            TimeSpan budget = parsed.GetValue(minutes) is { } number ? TimeSpan.FromMinutes(number) : Plan.DefaultBudget(isQuick);
            budget -= TimeSpan.FromSeconds(parsed.GetValue(spent));
            Plan plan = Plan.Create(isQuick, budget, parsed.GetValue(cpus) ?? CpuPair.Choose(), parsed.GetValue(native));
            plan = plan with { Repetitions = parsed.GetValue(repetitions) ?? plan.Repetitions };
            bool isWhole = scenarios.Length == Scenario.All.Count && !isQuick;
            return MeasureAsync(plan, scenarios, parsed.GetValue(output)!, isWhole || parsed.GetValue(sections), cancellation);
        });
        return command;
    }

    private static async Task<int> MeasureAsync(
        Plan plan, Scenario[] scenarios, string output, bool withSections, CancellationToken cancellation)
    {
        Machine machine = Machine.Describe(plan);
        Directory.CreateDirectory(output);
        using ScratchRoot scratch = new();
        using ScratchRoot disk = new(Path.GetFullPath(output));
        Driver driver = new(plan with { DiskDirectory = disk.Directory }, scratch, Console.Error.WriteLine);
        Report report = new(machine, plan, await driver.RunAsync(scenarios, cancellation));
        Console.Error.WriteLine(ReportFiles.Write(report, output, withSections));
        ConsoleReport.Print(report);
        return driver.AnyFailed ? 1 : 0;
    }
}
