// The options of the command line that every pool has, and how they become a pool's.
using System.CommandLine;
using ShmIpc.Examples.Pool.Commands;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool;

internal sealed class PoolSettings
{
    private const int MostWorkers = 32;
    private const string Fork = "fork";

    public static readonly string[] Modes = ["spawn", "fork-server", Fork];

    public Option<int> Workers { get; } = CreateWorkers();

    public Option<string> Mode { get; } = CreateMode();

    public Option<bool> Quick { get; } = new("--quick") { Description = "Leave out how long pools of each mode take to start" };

    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON object" };

    /// <summary>Whether the command line is one that forks this process, which must then have been started with other settings.</summary>
    public static bool AsksForFork(string[] args) =>
        args.FirstOrDefault() == SieveCommand.Name || args.Contains(Fork) || args.Contains("--mode=" + Fork);

    public static WorkerStartMode Parse(string mode) => mode switch
    {
        "fork-server" => WorkerStartMode.ForkServer,
        Fork => WorkerStartMode.Fork,
        _ => WorkerStartMode.Spawn,
    };

    public static string NameOf(WorkerStartMode mode) => Modes[(int)mode];

    /// <summary>The path of a file, without symbolic links, with a clear refusal of what cannot be worked on.</summary>
    public static string Require(FileInfo file)
    {
        using (var mapped = MappedFile.Open(file.FullName, new() { Access = MemoryAccess.ReadOnly })) // refuses what cannot be mapped
        {
            if (mapped.LengthBytes == 0)
                throw new ExampleException(ExitCode.Failed, $"{file} is empty: give a file with something in it.");
        }
        using var handle = File.OpenHandle(file.FullName);
        RandomAccess.FlushToDisk(handle); // pages of a file that was just written count as dirty, whoever has them mapped
        return File.ResolveLinkTarget($"/proc/self/fd/{handle.DangerousGetHandle()}", returnFinalTarget: false)!.FullName;
    }

    /// <summary>Prints what came of it, and gives the exit code.</summary>
    public int Report(PoolReport report, ParseResult parsed) =>
        (parsed.GetValue(Quick) ? report : report.WithStartUps()).Print(parsed.GetValue(Json));

    public WorkerPoolOptions ToOptions(ParseResult parsed, string file, Action preload) => new()
    {
        Workers = parsed.GetRequiredValue(Workers),
        StartMode = Parse(parsed.GetRequiredValue(Mode)),
        Preload = Parse(parsed.GetRequiredValue(Mode)) == WorkerStartMode.ForkServer ? preload : null,
        Arguments = new Dictionary<string, string> { [SharedFile.Argument] = file },
    };

    private static Option<int> CreateWorkers()
    {
        var workers = new Option<int>("--workers")
        {
            Description = $"How many processes, 1 to {MostWorkers} (default: one for each processor)",
            HelpName = "N",
            DefaultValueFactory = _ => Math.Min(Environment.ProcessorCount, MostWorkers),
        };
        workers.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out int count) && count is < 1 or > MostWorkers)
                result.AddError($"--workers takes a number from 1 to {MostWorkers}, not {token.Value}.");
        });
        return workers;
    }

    private static Option<string> CreateMode()
    {
        var mode = new Option<string>("--mode")
        {
            Description = "How the processes come into being: spawn, fork-server or fork",
            HelpName = "MODE",
            DefaultValueFactory = _ => Modes[0],
        };
        mode.AcceptOnlyFromAmong(Modes);
        return mode;
    }
}
