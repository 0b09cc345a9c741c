// The connected stream socket of one child: echo and receiver listen, ping and sender connect.

using System.Net.Sockets;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;

namespace ShmIpc.Benchmarks.Transports.Streams;

internal static class UnixEnds
{
    public static Socket Connect(ChildSettings settings)
    {
        UnixDomainSocketEndPoint address = new(Path.Combine(settings.Directory, "socket"));
        if (settings.Role is Role.Echo or Role.Receiver)
        {
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(address);
            listener.Listen(1);
            return listener.Accept();
        }

        Socket? connected = null;
        Rendezvous.WaitUntil(() => (connected = TryConnect(address)) is not null, "listener");
        return connected!;
    }

    private static Socket? TryConnect(UnixDomainSocketEndPoint address)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(address);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
