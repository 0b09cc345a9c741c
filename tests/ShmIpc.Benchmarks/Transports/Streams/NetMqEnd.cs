// The NetMQ socket of one child, a PAIR over TCP on the loopback interface: echo and receiver bind it and leave the port in a file.

using NetMQ;
using NetMQ.Sockets;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;

namespace ShmIpc.Benchmarks.Transports.Streams;

internal sealed class NetMqEnd : IDisposable
{
    private const string Address = "tcp://127.0.0.1";

    public NetMqEnd(ChildSettings settings)
    {
        // A ping's last message still has to arrive; a sender's have nobody left to read them.
        Socket.Options.Linger = settings.Role == Role.Ping ? TimeSpan.FromSeconds(2) : TimeSpan.Zero;
        string path = Path.Combine(settings.Directory, "port");
        if (settings.Role is Role.Echo or Role.Receiver)
        {
            File.WriteAllText(path + ".new", $"{Socket.BindRandomPort(Address)}");
            File.Move(path + ".new", path);
        }
        else
        {
            Rendezvous.WaitUntil(() => File.Exists(path), "port");
            Socket.Connect($"{Address}:{File.ReadAllText(path)}");
        }
    }

    public PairSocket Socket { get; } = new();

    public void Dispose()
    {
        Socket.Dispose();
        NetMQConfig.Cleanup();
    }
}
