// The one entry point of two programs: `ShmIpc.CrashTests child victim` is a process that dies at a step that the test names (Victim.cs),
// anything else is the test runner, exactly as xunit would have generated it.

using System.Runtime.CompilerServices;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.CrashTests;

internal static class Program
{
    public static int Main(string[] arguments)
    {
        WorkerPool.RunIfWorker(arguments); // returns at once, but in workers
        if (arguments is not [ChildProcess.Verb, ..])
        {
            return RunTests(arguments);
        }

        string parent = arguments.Single(argument => argument.StartsWith(ChildProcess.ParentKey, StringComparison.Ordinal));
        Linux.DieWithParent(int.Parse(parent[(ChildProcess.ParentKey.Length + 1)..]));
        Victim.Run();
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // a child never loads xunit
    private static int RunTests(string[] arguments) =>
        arguments.Any(argument => argument is "--server" or "--internal-msbuild-node")
            ? Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework
                .RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions).GetAwaiter().GetResult()
            : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(arguments).GetAwaiter().GetResult();
}
