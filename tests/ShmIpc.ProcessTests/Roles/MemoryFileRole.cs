// A process that is handed a file in memory in one of three ways, says what it may do with it, reads what its parent wrote, and answers.

using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class MemoryFileRole
{
    public const string Path = "path";
    public const string Inheritance = "inheritance";
    public const string Socket = "socket";

    public static void Run(RoleArguments arguments)
    {
        using MemoryFile? file = TryReceive(arguments);
        if (file is null)
        {
            return;
        }

        RoleArguments.Say($"received {file.Name} {file.LengthBytes} {file.CanWrite}");
        Try("require", () => file.Require(MemorySeals.Shrink));
        using (MemoryMapping reading = file.Map(new MemoryMappingOptions { Access = MemoryAccess.ReadOnly }))
        {
            RoleArguments.Say($"read {reading.Read<long>(0)}");
        }

        Try("write", () =>
        {
            using MemoryMapping writing = file.Map();
            writing.Write(sizeof(long), 2 * writing.Read<long>(0));
        });
        Try("reopen", () =>
        {
            using MemoryFile again = MemoryFile.OpenFrom(Environment.ProcessId, file.Descriptor);
            using MemoryMapping writing = again.Map();
        });
        RoleArguments.Await("end");
    }

    /// <summary>Receives two descriptors where there is room for one only.</summary>
    public static void WithFewDescriptors(RoleArguments arguments)
    {
        using Socket socket = Connect(arguments);
        byte[] buffer = [0];
        Receive(); // what the runtime loads for it is loaded, and takes no descriptor later
        Exception? refusal;
        int before = Count();
        using (new FewDescriptors(left: 1))
        {
            try
            {
                _ = DescriptorPassing.Receive(socket, buffer, mostHandles: 2);
                refusal = null;
            }
            catch (ShmException error)
            {
                refusal = error;
            }
        }

        RoleArguments.Say($"refused {Count() - before} {refusal?.Message}");
        Receive(); // the connection has not suffered

        void Receive()
        {
            ReceivedDescriptors received = DescriptorPassing.Receive(socket, buffer, mostHandles: 2);
            RoleArguments.Say($"received {received.Handles.Count}");
            foreach (SafeFileHandle handle in received.Handles)
            {
                handle.Dispose();
            }
        }

        static int Count() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
    }

    private static MemoryFile? TryReceive(RoleArguments arguments)
    {
        MemoryFile? file = null;
        Try("receive", () => file = arguments.Text("way") switch
        {
            Path => MemoryFile.OpenFrom((int)arguments.Number(ChildProcess.ParentKey), (int)arguments.Number("descriptor")),
            Inheritance => MemoryFile.OpenInherited((int)arguments.Number("descriptor")),
            _ => FromSocket(arguments),
        });
        return file;
    }

    private static MemoryFile FromSocket(RoleArguments arguments)
    {
        using Socket socket = Connect(arguments);
        return MemoryFile.Open(DescriptorPassing.Receive(socket, new byte[1]).Handles.Single());
    }

    private static Socket Connect(RoleArguments arguments)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(arguments.Text("socket")));
        socket.ReceiveTimeout = (int)ChildProcess.Patience.TotalMilliseconds;
        return socket;
    }

    private static void Try(string what, Action action)
    {
        try
        {
            action();
            RoleArguments.Say($"{what} ok");
        }
        catch (Exception error) when (error is ShmException or UnauthorizedAccessException or ArgumentException)
        {
            RoleArguments.Say($"{what} {error.GetType().Name} {error.Message}");
        }
    }
}
