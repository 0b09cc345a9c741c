// How a program went, as its service leaves it for Main.
namespace ShmIpc.Examples.Terminal;

/// <summary>The exit code to be; interrupted until something better is known.</summary>
public sealed class Outcome
{
    /// <summary>One of <see cref="Terminal.ExitCode"/>.</summary>
    public int ExitCode { get; set; } = Terminal.ExitCode.Interrupted;
}
