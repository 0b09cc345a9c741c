// What the example programs do with a command line beyond parsing it: one sentence for a wrong one, and no stack trace for what the person
// at the keyboard can put right.
using System.CommandLine;
using System.CommandLine.Invocation;

namespace ShmIpc.Examples.Terminal;

/// <summary>Runs the program that a command line asks for.</summary>
public static class CommandLine
{
    /// <summary>Runs a program of sub-commands, and gives its exit code.</summary>
    /// <remarks>Not with InvokeAsync: a process that has used the thread pool cannot be forked any more, and one that handles SIGINT
    /// does not die of it.</remarks>
    public static int Run(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        try
        {
            return Refuse(parsed) ?? parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (ExampleException.ExitCodeOf(e) is int exitCode)
        {
            ExampleException.Report(e);
            return exitCode;
        }
    }

    /// <summary>Says in one line what is wrong with a command line, and gives the exit code; null when nothing is.</summary>
    public static int? Refuse(ParseResult parsed)
    {
        if (parsed.Action is not ParseErrorAction)
            return null;
        string[] errors = [.. parsed.Errors.Select(error => error.Message)];
        // A word that is no command is also a command that is missing, which explains nothing.
        if (errors.Length > 1 && parsed.UnmatchedTokens.Count > 0)
            errors = errors[1..];
        string message = string.Join(' ', string.Join(' ', errors).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (!message.EndsWith('.'))
            message += ".";
        string help = string.Join(' ', Path(parsed.CommandResult.Command).Skip(1).Append("--help"));
        ExampleException.Report(new ExampleException(ExitCode.Failed, $"{message} See {AppDomain.CurrentDomain.FriendlyName} {help}."));
        return ExitCode.Failed;
    }

    private static IEnumerable<string> Path(Command command) =>
        (command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? Path(parent) : []).Append(command.Name);
}
