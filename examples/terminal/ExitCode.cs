// How the example programs tell a script how it went. Both print the same list in their --help.
namespace ShmIpc.Examples.Terminal;

/// <summary>The exit codes of the example programs.</summary>
public static class ExitCode
{
    /// <summary>Everything asked for was done. A live run that somebody ends with Ctrl-C or SIGTERM is one of these.</summary>
    public const int Ok = 0;

    /// <summary>The command line is wrong, or something on this machine is in the way; the message says what.</summary>
    public const int Failed = 1;

    /// <summary>A replay arrived, but not as it was sent.</summary>
    public const int Mismatch = 2;

    /// <summary>The other program did not come, or went away too early.</summary>
    public const int NoPeer = 3;

    /// <summary>Ctrl-C or SIGTERM ended a replay before it was complete.</summary>
    public const int Interrupted = 130;

    /// <summary>The list for <c>--help</c>.</summary>
    public const string Help = """
        Exit codes:
          0    done; also a live run ended by Ctrl-C or SIGTERM
          1    bad command line, or something on this machine is in the way (the message says what)
          2    a replay arrived incomplete, doubled, out of order or damaged
          3    the other program did not come in time, or went away too early
          130  Ctrl-C or SIGTERM ended a replay before it was complete
        """;
}
