using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

/// <summary>A copy of the calling process that has become a fork server, seen from the process that forked it. Making it uses no thread,
/// because a process that is to fork must have no other.</summary>
internal sealed record ForkedServer(int ProcessId, SafeFileHandle ProcessFile, SafeFileHandle Control)
{
    public static ForkedServer Fork(WorkerLaunch launch)
    {
        (SafeFileHandle ours, SafeFileHandle theirs) = LinuxPipe.CreateSockets();
        int parent = LinuxProcess.ProcessId();
        byte[] message = LaunchMessage.Write(launch, parent);
        int server = LinuxChild.Fork();
        if (server == 0)
        {
            ours.Dispose();
            ForkServer.Run(theirs, message);
        }

        theirs.Dispose();
        return new ForkedServer(server, LinuxChild.OpenOrKill(server)!, ours);
    }
}
