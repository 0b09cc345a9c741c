// The usual --help, and below it what the options alone do not say: examples and exit codes.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ShmIpc.Examples.Terminal;

internal sealed class HelpWithEpilogue(HelpAction help, string epilogue) : SynchronousCommandLineAction
{
    private const int WidestLine = 120;

    public override int Invoke(ParseResult parseResult)
    {
        help.MaxWidth = Math.Min(help.MaxWidth, WidestLine);
        int result = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output.WriteLine(epilogue);
        return result;
    }
}
