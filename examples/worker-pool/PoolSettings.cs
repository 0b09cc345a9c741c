// The options of the command line that every pool has, and how they become a pool's.
using System.CommandLine;
using ShmIpc.Examples.Terminal;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool;

internal sealed class PoolSettings
{
    private const string Fork = "fork";

    public static readonly string[] Modes = ["spawn", "fork-server", Fork];

    public Option<int> Workers { get; } = new("--workers")
    {
        Description = "How many processes, 1 to 32 (default: one for each processor)",
        HelpName = "N",
        DefaultValueFactory = _ => Math.Min(Environment.ProcessorCount, 32),
    };

    public Option<string> Mode { get; } = CreateMode();

    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON object" };

    /// <summary>Whether the command line is one that forks this process, which must then have been started with other settings.</summary>
    public static bool AsksForFork(string[] args) => args.Contains(Fork) || args.Contains("--mode=" + Fork);

    public static WorkerStartMode Parse(string mode) => mode switch
    {
        "fork-server" => WorkerStartMode.ForkServer,
        Fork => WorkerStartMode.Fork,
        _ => WorkerStartMode.Spawn,
    };

    public static string NameOf(WorkerStartMode mode) => Modes[(int)mode];

    /// <summary>The file, whole, with a clear refusal of what cannot be worked on.</summary>
    public static string Require(FileInfo file)
    {
        if (!file.Exists)
            throw new ExampleException(ExitCode.Failed, $"There is no file {file}.");
        if (file.Length == 0)
            throw new ExampleException(ExitCode.Failed, $"{file} is empty: give a file with something in it.");
        return file.FullName;
    }

    public WorkerPoolOptions ToOptions(ParseResult parsed, string file, Action preload) => new()
    {
        Workers = parsed.GetRequiredValue(Workers),
        StartMode = Parse(parsed.GetRequiredValue(Mode)),
        Preload = Parse(parsed.GetRequiredValue(Mode)) == WorkerStartMode.ForkServer ? preload : null,
        Arguments = new Dictionary<string, string> { [SharedFile.Argument] = file },
    };

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
