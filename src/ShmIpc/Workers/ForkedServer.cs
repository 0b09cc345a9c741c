using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

/// <summary>A copy of the calling process that has become a fork server, seen from the process that forked it. Making it uses no thread,
/// because a process that is to fork must have no other.</summary>
internal sealed record ForkedServer(int ProcessId, SafeFileHandle ProcessFile, SafeFileHandle Control)
{
    public static ForkedServer Fork(WorkerLaunch launch)
    {
        byte[] message = LaunchMessage.Write(launch, LinuxProcess.ProcessId());
        (SafeFileHandle ours, SafeFileHandle theirs) = LinuxPipe.CreateSockets();
        try
        {
            int server = LinuxChild.Fork();
            if (server == 0)
            {
                ours.Dispose();
                ForkServer.Run(theirs, message);
            }

            return new ForkedServer(server, LinuxChild.OpenOrKill(server) ?? throw new ShmException(
                "The copy of this process that was to fork the workers was ended as soon as it was made."), ours);
        }
        catch
        {
            ours.Dispose();
            throw;
        }
        finally
        {
            theirs.Dispose();
        }
    }

    /// <summary>Ends the copy and lets go of it, when nobody can look after it.</summary>
    public void End()
    {
        Control.Dispose();
        _ = LinuxChild.TrySignal(ProcessFile, Tmds.Linux.LibC.SIGKILL);
        LinuxPipe.Wait([ProcessFile], -1, new bool[1]);
        _ = LinuxChild.TryReap(ProcessId, out _);
        ProcessFile.Dispose();
    }
}
