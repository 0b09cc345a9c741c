// How a living process is made to stand still.

namespace ShmIpc.ProcessTests.Harness;

#pragma warning disable CA1515 // a theory's argument
public enum PauseWay
{
    /// <summary>SIGSTOP, and SIGCONT in the end.</summary>
    Signal,

    /// <summary>A debugger is attached.</summary>
    Debugger,

    /// <summary>A garbage collection that does not come to its end.</summary>
    Collection,
}
