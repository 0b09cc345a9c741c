// This program once more, as a process of its own.
using System.Diagnostics;

namespace ShmIpc.Examples.Terminal;

/// <summary>How the program that runs is started again.</summary>
public static class SameProgram
{
    /// <summary>Its file with these arguments; <c>dotnet x.dll</c> needs its program named, the application host does not.</summary>
    public static ProcessStartInfo With(params string[] arguments)
    {
        bool isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        return new(Environment.ProcessPath!, isDotnet ? [Environment.GetCommandLineArgs()[0], .. arguments] : arguments);
    }
}
