// The process that workers are forked from. It does nothing else, and its workers are copies of what it is: one thread, no locks held, no
// code that is being compiled. It forks on request, reaps, and tells its pool how each worker ended. When its pool is gone so is it, and
// when it is gone so are its workers: the kernel sees to both.
//
//   pool -> server   Fork: the launch as text, with descriptors: stdout, stderr, memory files
//   server -> pool   Ready: a complaint, or nothing | Refused: why | Started: process id, with its pidfd | Failed: why
//                    | Ended: process id, status
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

    private const int ThreadPatienceMs = 5_000;
    private const int StandardError = 2;

    /// <summary>The whole life of a fork server, whether it was started as one or forked. Never returns, whatever happens in it or in a
    /// worker before its body: behind the call lies the program, which would run a second time.</summary>
    /// <param name="control">The socket to the pool.</param>
    /// <param name="message">What the server is told: what is to run first, and how its workers begin.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(SafeFileHandle control, byte[] message)
    {
        try
        {
            WorkerLaunch launch = LaunchMessage.Read(
                message, number => throw new InvalidOperationException($"A fork server has no memory {number}."), out int parentId);
            if (LinuxChild.DieWithParent(parentId))
            {
                Serve(control, launch);
            }
        }
        catch (Exception error)
        {
            Send(control, Refused, $"It failed: {error.Message}");
            using FileStream errors = new(new SafeFileHandle(StandardError, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            errors.Write(Encoding.UTF8.GetBytes($"{error}\n"));
        }
        finally
        {
            LinuxChild.Exit(1);
        }
    }

    // Preloads, rehearses, checks, and serves until the pool is gone.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Serve(SafeFileHandle control, WorkerLaunch launch)
    {
        LinuxChild.ResetSignals();
        LinuxChild.IgnoreStops(); // it ends when the pool hangs up
        try
        {
            if (launch.Preload is { } preload)
            {
                StaticMethod.Find(preload).CreateDelegate<Action>()();
            }
        }
        catch (Exception error)
        {
            Leave(control, Refused, $"Preload failed: {error}");
        }

        string complaint = launch.Body.Length == 0 ? "" : Rehearse(launch);
        List<string> obstacles = ForkObstacles.Find();
        if (obstacles.Count > 0)
        {
            Leave(control, Refused, string.Join(" ", obstacles));
        }

        Send(control, Ready, complaint);
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

    // What every worker does first is compiled and loaded once, here, and not in each of them. It is done on another thread, as in them.
    // Returns why it could not be; without it workers begin later, and no worse.
    private static string Rehearse(WorkerLaunch launch)
    {
        string complaint = "";
        int threads = Threads();
        Thread worker = new(() =>
        {
            try
            {
                Prepare((Action<int, SafeFileHandle, List<(int, SafeFileHandle)>, ReadOnlyMemory<byte>, SafeFileHandle[]>)BeWorker);
                Prepare(LinuxProgram.TakeStreams);
                WorkerMain.Rehearse(launch);
            }
            catch (Exception error)
            {
                complaint = $"The fork server could not rehearse, so each worker compiles what it needs: {error}";
            }
        });
        worker.Start();
        worker.Join();
        long end = Environment.TickCount64 + ThreadPatienceMs;
        while (Threads() > threads && Environment.TickCount64 < end) // a thread that was joined is gone a moment later
        {
            Thread.Sleep(1);
        }

        return complaint;

        static void Prepare(Delegate method) => RuntimeHelpers.PrepareMethod(method.Method.MethodHandle);

        static int Threads() => Directory.GetDirectories("/proc/self/task").Length;
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
