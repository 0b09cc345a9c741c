using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

/// <summary>Whether this process can fork, and how it can be brought to. Forking a .NET process is not supported by its runtime; it works
/// where nothing of what is checked here is in the way.</summary>
[Experimental(DiagnosticId)]
public static class ForkSupport
{
    internal const string DiagnosticId = "SHMIPC001";

    /// <summary>Every reason why this process cannot fork now, with what to do about it; empty when it can.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64.</exception>
    public static IReadOnlyList<string> Check()
    {
        LinuxPlatform.Require();
        return ForkObstacles.Find();
    }

    /// <summary>Starts the program anew, in this process and with the same arguments, when the settings of the runtime that a fork takes
    /// are missing; does nothing when they are there. The first statement of Main, before anything that is to happen once.</summary>
    /// <param name="args">The arguments of Main. The program is started with those that the kernel has, which include them.</param>
    /// <remarks>The process id stays. It takes about 100 ms, once. The settings are environment variables:
    /// <c>DOTNET_EnableWriteXorExecute</c>, <c>DOTNET_gcConcurrent</c>, <c>DOTNET_gcServer</c>, <c>DOTNET_TieredCompilation</c> and
    /// <c>DOTNET_EnableDiagnostics</c>, each 0; programs that this process starts get what was there before.</remarks>
    /// <exception cref="ShmException">The program cannot be started again, or was, and is still without the settings.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64.</exception>
    public static void EnsureForkable(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        LinuxPlatform.Require();
        if (ForkEnvironment.IsSet())
        {
            ForkEnvironment.Restore();
            return;
        }

        if (ForkEnvironment.IsMarked())
        {
            throw new ShmException(
                "The program was started anew with the settings that a fork takes, and does not have them: something between changes "
                + $"its environment. Start it with {string.Join("=0 ", ForkEnvironment.Names)}=0.");
        }

        ProgramCommand program = ProgramCommand.OfThisProcess();
        throw LinuxProgram.Become(program.Path, program.Arguments, ForkEnvironment.With());
    }
}
