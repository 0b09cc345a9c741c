// memory memfd: makes a file in memory, seals it, and starts itself as a child that is handed it in three ways. Each says what it may do.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class MemfdCommand
{
    private const int LengthBytes = 64 * 1024;
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    public static Command Create()
    {
        var parent = new Option<int>("--parent") { Hidden = true };
        var descriptor = new Option<int>("--descriptor") { Hidden = true };
        var inherited = new Option<int>("--inherited") { Hidden = true };
        var socket = new Option<string>("--socket") { Hidden = true };
        var command = new Command("memfd", "Makes a file in memory, seals it, and hands it to a child process in three ways")
        {
            parent, descriptor, inherited, socket,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(socket) is not { } name) return RunParent();
            return RunChild(parsed.GetValue(parent), parsed.GetValue(descriptor), parsed.GetValue(inherited), name);
        });
        return command;
    }

    private static int RunParent()
    {
        using var file = MemoryFile.Create("example", LengthBytes);
        using var mapping = file.Map();
        mapping.Write(0, 42L);
        file.Seal(MemorySeals.Grow | MemorySeals.FutureWrite | MemorySeals.Seal);
        Console.WriteLine($"Process {Environment.ProcessId} made {file.LengthBytes} bytes, {file.ProcessPath}, sealed: {file.Seals}.");
        Show("parent, the mapping that it had before:", mapping, () => mapping.Write(0, mapping.Read<long>(0) + 1));
        Show("parent, a new mapping for writing:", mapping, () => file.Map().Dispose());

        var socket = $"shmipc-memfd-{Guid.NewGuid():N}";
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(Address(socket));
        listener.Listen();
        using var child = StartChild(file, socket);
        try
        {
            if (!listener.Poll(_patience, SelectMode.SelectRead))
            {
                throw new ExampleException(ExitCode.Failed, "The child does not connect.");
            }

            using var connection = listener.Accept();
            using var readOnly = file.OpenReadOnly();
            DescriptorPassing.Send(connection, "example"u8, readOnly.Handle);
            if (!child.WaitForExit(_patience)) throw new ExampleException(ExitCode.Failed, "The child does not end.");
            return child.ExitCode;
        }
        finally
        {
            if (!child.HasExited) child.Kill();
        }
    }

    // A name that starts with NUL is in no file system, and gone with the socket.
    private static UnixDomainSocketEndPoint Address(string socket) => new("\0" + socket);

    private static Process StartChild(MemoryFile file, string socket)
    {
        // Inherited by whatever is started within this using, and by nothing that is started later.
        using var inheritable = file.MakeInheritable();
        return Process.Start(SameProgram.With(
            "memfd",
            "--parent", Text(Environment.ProcessId),
            "--descriptor", Text(file.Descriptor),
            "--inherited", inheritable.ToString(),
            "--socket", socket))!;
    }

    private static int RunChild(int parent, int descriptor, int inherited, string socketName)
    {
        Console.WriteLine($"Process {Environment.ProcessId} is the child.");
        using (var file = MemoryFile.OpenInherited(inherited)) Show("child, inherited", file);
        using (var file = MemoryFile.OpenFrom(parent, descriptor)) Show("child, by /proc", file);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(Address(socketName));
        socket.ReceiveTimeout = (int)_patience.TotalMilliseconds;
        var received = DescriptorPassing.Receive(socket, new byte[16]);
        if (received.Handles.Count == 0) throw new ExampleException(ExitCode.Failed, "The parent has sent no descriptor.");
        using (var file = MemoryFile.Open(received.Handles[0])) Show("child, over a socket, read-only", file);
        return 0;
    }

    private static void Show(string who, MemoryFile file)
    {
        file.Require(MemorySeals.Shrink); // else the parent could end this process by truncating the file
        using var mapping = file.Map(new MemoryMappingOptions { Access = MemoryAccess.ReadOnly });
        Show($"{who}, a mapping for reading:", mapping, () => { });
        Show($"{who}, a mapping for writing:", mapping, () => file.Map().Dispose());
    }

    private static void Show(string who, MemoryMapping mapping, Action action)
    {
        try
        {
            action();
            Console.WriteLine($"  {who} granted, the value is {mapping.Read<long>(0)}");
        }
        catch (UnauthorizedAccessException refusal)
        {
            Console.WriteLine($"  {who} refused. {refusal.Message}");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
