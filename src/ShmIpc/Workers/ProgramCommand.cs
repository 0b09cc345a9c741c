// How this program was started, so that it can be started again: the file that runs, and every argument, as the kernel has them. So an
// application host, `dotnet x.dll`, `dotnet exec --runtimeconfig y x.dll` and a native program need not be told apart.

using System.Text;

namespace ShmIpc.Workers;

internal sealed record ProgramCommand(string Path, IReadOnlyList<string> Arguments)
{
    /// <summary>The command that started this process.</summary>
    /// <exception cref="ShmException">The program's file is gone: it was replaced while it ran.</exception>
    public static ProgramCommand OfThisProcess()
    {
        string path = new FileInfo("/proc/self/exe").LinkTarget ?? Environment.ProcessPath ?? "";
        if (!File.Exists(path))
        {
            throw new ShmException(
                $"The program cannot be started again, because its file is not there any more: {path}. It was replaced or removed while "
                + "this process ran; restart the process.");
        }

        string[] arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).Split('\0')[..^1];
        string assembly = Environment.GetCommandLineArgs()[0];
        for (int i = 1; i < arguments.Length; i++)
        {
            // The argument of `dotnet` that names the program may be relative to a directory that is no longer the current one.
            if (System.IO.Path.IsPathFullyQualified(assembly)
                && System.IO.Path.GetFileName(arguments[i]) == System.IO.Path.GetFileName(assembly))
            {
                arguments[i] = assembly;
                break;
            }
        }

        return new ProgramCommand(path, arguments);
    }
}
