// The process that workers are forked from. It does nothing else, and its workers are copies of what it is: one thread, no locks held, no
// code that is being compiled. It forks on request, reaps, and tells its pool how each worker ended. When its pool is gone so is it, and
// when it is gone so are its workers: the kernel sees to both.
//
//   pool -> server   Fork: the launch as text, with descriptors: stdout, stderr, memory files
//   server -> pool   Ready | Refused: why | Started: process id, with its pidfd | Failed: why | Ended: process id, status
//
// A request is answered by Started or Failed, in order. In the child of a fork, the calling thread starts another and does nothing but
// wait: the runtime stops threads for a garbage collection by ids that a fork changes for this one. It leaves by _exit, because the
// runtime's own exit waits for threads that are not there, and takes away what belongs to the parent.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

internal static class ForkServer
{
    public const byte Fork = (byte)'L';
    public const byte Ready = (byte)'R';
    public const byte Refused = (byte)'N';
    public const byte Started = (byte)'S';
    public const byte Failed = (byte)'F';
    public const byte Ended = (byte)'E';
    public const int MaxMessageBytes = 128 * 1024;

    /// <summary>What the fork server is told in its environment.</summary>
    public static string Settings(int parentId, string? preload) => $"{parentId}\n{preload}";

    /// <summary>The whole life of a process that was started as a fork server.</summary>
    public static void Run(SafeFileHandle control, string settings)
    {
        string[] words = settings.Split('\n', 2);
        if (!LinuxChild.DieWithParent(int.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture)))
        {
            LinuxChild.Exit(1);
        }

        Serve(control, words[1].Length == 0 ? null : words[1]);
    }

    /// <summary>Preloads, checks, and serves until the pool is gone. Never returns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Serve(SafeFileHandle control, string? preload)
    {
        try
        {
            if (preload is not null)
            {
                StaticMethod.Find(preload).CreateDelegate<Action>()();
            }

            Warm();
        }
        catch (Exception error)
        {
            Leave(control, Refused, $"Preload failed: {error}");
        }

        List<string> obstacles = ForkObstacles.Find();
        if (obstacles.Count > 0)
        {
            Leave(control, Refused, string.Join(" ", obstacles));
        }

        Send(control, Ready, "");
        Loop(control);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Loop(SafeFileHandle control)
    {
        List<(int ProcessId, SafeFileHandle File)> children = [];
        byte[] buffer = new byte[MaxMessageBytes];
        while (true)
        {
            SafeFileHandle[] watched = [control, .. children.Select(child => child.File)];
            bool[] ready = new bool[watched.Length];
            LinuxPipe.Wait(watched, -1, ready);
            for (int i = children.Count - 1; i >= 0; i--)
            {
                if (ready[i + 1])
                {
                    (int processId, SafeFileHandle file) = children[i];
                    children.RemoveAt(i);
                    file.Dispose();
                    _ = LinuxChild.TryReap(processId, out int status);
                    SendNumbers(control, Ended, processId, status);
                }
            }

            if (ready[0])
            {
                int lengthBytes = LinuxMessage.Receive(control, buffer, out SafeFileHandle[] files);
                if (lengthBytes == 0)
                {
                    LinuxChild.Exit(0); // the kernel ends the workers
                }

                if (files.Length < 2) // stdout and stderr come with every request
                {
                    Send(control, Failed, LinuxChild.TooManyFiles("The fork server"));
                    continue;
                }

                ForkOne(control, children, buffer.AsMemory(1, lengthBytes - 1), files);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForkOne(
        SafeFileHandle control, List<(int ProcessId, SafeFileHandle File)> children, ReadOnlyMemory<byte> launch, SafeFileHandle[] files)
    {
        try
        {
            int server = LinuxProcess.ProcessId();
            int processId = LinuxChild.Fork();
            if (processId == 0)
            {
                BeWorker(server, control, children, launch, files);
            }

            SafeFileHandle file = LinuxChild.OpenOrKill(processId)!; // there until it is reaped, which is only done here
            children.Add((processId, file));
            SendNumbers(control, Started, processId, 0, file);
        }
        catch (ShmException error)
        {
            Send(control, Failed, error.Message);
        }
        finally
        {
            foreach (SafeFileHandle file in files)
            {
                file.Dispose();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BeWorker(
        int server,
        SafeFileHandle control,
        List<(int ProcessId, SafeFileHandle File)> children,
        ReadOnlyMemory<byte> launch,
        SafeFileHandle[] files)
    {
        LinuxChild.ResetSignals();
        if (!LinuxChild.DieWithParent(server))
        {
            LinuxChild.Exit(1);
        }

        LinuxProgram.TakeStreams(files[0], files[1]);
        foreach (SafeFileHandle inherited in (SafeFileHandle[])[control, files[0], files[1], .. children.Select(child => child.File)])
        {
            inherited.Dispose();
        }

        int code = 1;
        Thread body = new(() => code = LaunchMessage.Read(launch, number => files[number + 2], out _).Run());
        body.Start();
        body.Join();
        LinuxChild.Exit(code);
    }

    // What every worker does first is compiled once, here, and not in each of them.
    private static void Warm()
    {
        WorkerLaunch sample = new(0, 0, "", "", null, new Dictionary<string, string> { ["a"] = "b" });
        _ = LaunchMessage.Read(LaunchMessage.Write(sample, 0), number => throw new InvalidOperationException($"{number}"), out _);
    }

    private static void Leave(SafeFileHandle control, byte kind, string text)
    {
        Send(control, kind, text);
        LinuxChild.Exit(1);
    }

    private static void Send(SafeFileHandle control, byte kind, string text)
    {
        byte[] message = [kind, .. Encoding.UTF8.GetBytes(text)];
        _ = LinuxMessage.TrySend(control, message.AsSpan(0, Math.Min(message.Length, MaxMessageBytes)));
    }

    private static void SendNumbers(SafeFileHandle control, byte kind, int first, int second, params SafeFileHandle[] files)
    {
        byte[] message = new byte[1 + (2 * sizeof(int))];
        message[0] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1), first);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1 + sizeof(int)), second);
        _ = LinuxMessage.TrySend(control, message, files); // when nobody listens, the next look at the socket says so
    }
}
