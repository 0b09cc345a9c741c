// Where a process that was started as a worker, or as a fork server, finds out that it is one: at the first statement of Main.

using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal static class WorkerEntry
{
    public const string WorkerVariable = "SHMIPC_WORKER";
    public const string ServerVariable = "SHMIPC_FORK_SERVER";

    private const int FirstPassed = 3; // LinuxProgram.Start passes descriptors from here on
    private static bool _hasRun;

    /// <summary>True when Main has asked: a program that does not would run anew as a whole in each worker.</summary>
    public static bool HasRun => Atomics.Acquire(ref _hasRun);

    /// <summary>Returns false at once in a process that is neither. In the others it does not return: they do what they are for, and
    /// end.</summary>
    public static bool TryRun(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        LinuxPlatform.Require();
        Atomics.Release(ref _hasRun, true);
        if (Environment.GetEnvironmentVariable(WorkerVariable) is { Length: > 0 } launch)
        {
            Environment.SetEnvironmentVariable(WorkerVariable, null); // programs that the worker starts are none
            RunSpawned(Encoding.UTF8.GetBytes(launch));
            return true;
        }

        if (Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } server)
        {
            Environment.SetEnvironmentVariable(ServerVariable, null);
            ForkEnvironment.Restore();
            ForkServer.Run(Passed(0), Encoding.UTF8.GetBytes(server));
            return true;
        }

        return false;
    }

    private static void RunSpawned(byte[] message)
    {
        WorkerLaunch launch = LaunchMessage.Read(message, Passed, out int parentId);
        if (!LinuxChild.DieWithParent(parentId))
        {
            LinuxChild.Exit(1);
        }

        Environment.Exit(launch.Run());
    }

    private static SafeFileHandle Passed(int number)
    {
        SafeFileHandle handle = new(FirstPassed + number, ownsHandle: true);
        LinuxFile.CloseOnExec(handle); // programs that the worker starts do not get it
        return handle;
    }
}
