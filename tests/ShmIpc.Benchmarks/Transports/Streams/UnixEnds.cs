// The connected stream socket of one child: echo and receiver listen, ping and sender connect.

using System.Net.Sockets;
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

        long deadline = Environment.TickCount64 + 10_000;
        while (true)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(address);
                return socket;
            }
            catch (SocketException) when (Environment.TickCount64 < deadline)
            {
                socket.Dispose();
                Thread.Sleep(1);
            }
        }
    }
}
