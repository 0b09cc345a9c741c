// The command line that both example programs share, and the host around them.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ShmIpc.Examples.Terminal;

/// <summary>A program with one command, run as a generic host.</summary>
public abstract class ExampleProgram
{
    private readonly Option<string?> _channel = new("--channel", "-c")
    {
        Description = "Name of the channel (default: telemetry, or replay with --replay)",
        HelpName = "NAME",
    };

    private readonly Option<string?> _root = new("--root")
    {
        Description = "Directory the channels live in (default: $SHMIPC_ROOT, or /dev/shm/shmipc-<user id>)",
        HelpName = "DIR",
    };

    private readonly Option<long?> _laneCapacity;

    private readonly Option<string?> _json = new("--json")
    {
        Description = "Write the result to this file, for scripts",
        HelpName = "FILE",
    };

    /// <summary>Sets up the options that both programs have.</summary>
    protected ExampleProgram(string description, string epilogue)
    {
        Command = new RootCommand(description);
        _laneCapacity = Size("--lane-capacity", "Bytes of messages a producer may be ahead; a power of two, such as 256K or 4M. "
            + "Both programs must agree (default: 1M, or what the channel was created with)");
        Command.Add(_channel);
        Command.Add(_root);
        Command.Add(_laneCapacity);
        Command.Add(_json);
        foreach (HelpOption help in Command.Options.OfType<HelpOption>())
        {
            if (help.Action is HelpAction action)
                help.Action = new HelpWithEpilogue(action, epilogue);
        }
        Command.SetAction((parsed, _) => RunAsync(parsed));
    }

    /// <summary>The command line; the programs add their own options.</summary>
    protected RootCommand Command { get; }

    /// <summary>Parses <paramref name="args"/>, runs the program and returns its exit code.</summary>
    public Task<int> RunAsync(string[] args)
    {
        // The host handles Ctrl-C and SIGTERM; two handlers would be one too many.
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        ParseResult parsed = Command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        return CommandLine.Refuse(parsed) is int exitCode ? Task.FromResult(exitCode) : parsed.InvokeAsync(configuration);
    }

    /// <summary>Registers what the program consists of.</summary>
    protected abstract void Configure(HostApplicationBuilder builder, ParseResult parsed);

    /// <summary>What the user said about the channel.</summary>
    protected ChannelSettings ChannelSettings(ParseResult parsed, string defaultName) => new(
        parsed.GetValue(_channel) ?? defaultName,
        parsed.GetValue(_root),
        parsed.GetValue(_laneCapacity));

    /// <summary>Where the result is written for scripts, or null.</summary>
    protected string? JsonPath(ParseResult parsed)
    {
        string? path = parsed.GetValue(_json);
        // Said now and not at the end of an hour.
        if (path is not null && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            throw new ExampleException(ExitCode.Failed, $"--json {path}: there is no such directory.");
        if (Directory.Exists(path))
            throw new ExampleException(ExitCode.Failed, $"--json {path}: that is a directory, and not a file.");
        return path;
    }

    /// <summary>An option that takes a duration such as <c>500ms</c>.</summary>
    protected static Option<TimeSpan?> Time(string name, string description) => Parsed<TimeSpan?>(name, "TIME", description, text =>
        Duration.TryParse(text, out TimeSpan value) ? value : null, "a duration such as 500ms, 2s or 1m");

    /// <summary>An option that takes a size such as <c>64K</c>.</summary>
    protected static Option<long?> Size(string name, string description) => Parsed<long?>(name, "SIZE", description, text =>
        ByteSize.TryParse(text, out long value) && value > 0 ? value : null, "a size such as 65536, 64K or 1M");

    /// <summary>An option that takes a whole number from 1 on.</summary>
    protected static Option<long?> Number(string name, string description) => Parsed<long?>(name, "N", description, text =>
        long.TryParse(text, out long value) && value > 0 ? value : null, "a whole number from 1 on");

    /// <summary>Refuses <paramref name="options"/> where <paramref name="condition"/> is not given: they would mean nothing.</summary>
    protected void OnlyWith(Option condition, params Option[] options) => Command.Validators.Add(parsed =>
    {
        foreach (Option option in options)
        {
            if (IsGiven(parsed, option) && !IsGiven(parsed, condition))
                parsed.AddError($"{option.Name} needs {condition.Name}.");
        }
    });

    /// <summary>Refuses <paramref name="options"/> where <paramref name="condition"/> is given: the two contradict each other.</summary>
    protected void NotWith(Option condition, params Option[] options) => Command.Validators.Add(parsed =>
    {
        foreach (Option option in options)
        {
            if (IsGiven(parsed, option) && IsGiven(parsed, condition))
                parsed.AddError($"{option.Name} cannot be used with {condition.Name}.");
        }
    });

    private static bool IsGiven(CommandResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static Option<T> Parsed<T>(string name, string helpName, string description, Func<string, T> parse, string expected) =>
        new(name) { Description = description, HelpName = helpName, CustomParser = result => Parse(result, name, parse, expected) };

    private static T? Parse<T>(ArgumentResult result, string name, Func<string, T> parse, string expected)
    {
        string text = result.Tokens[0].Value;
        T value = parse(text);
        if (value is null)
            result.AddError($"{name} takes {expected}, not '{text}'.");
        return value;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        try
        {
            HostApplicationBuilder builder = Host.CreateApplicationBuilder();
            // Standard output belongs to the program's own text. The host would print the stack trace of a failed start: the catch below
            // says it shorter.
            builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning)
                .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
            builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console =>
                console.LogToStandardErrorThreshold = LogLevel.Trace);
            builder.Services.AddSingleton<Outcome>();
            Configure(builder, parsed);

            using IHost host = builder.Build();
            Outcome outcome = host.Services.GetRequiredService<Outcome>();
            await host.RunAsync();
            return outcome.ExitCode;
        }
        catch (Exception e) when (ExampleException.ExitCodeOf(e) is int exitCode)
        {
            ExampleException.Report(e);
            return exitCode;
        }
    }
}
