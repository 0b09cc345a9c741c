using NetMQ;
using NetMQ.Sockets;

namespace ShmIpc.Benchmarks.Transports.Streams;

/// <summary>The reading end of a NetMQ socket.</summary>
internal readonly struct NetMqReceiver(PairSocket socket) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        Msg message = default;
        message.InitEmpty();
        socket.Receive(ref message);
        int length = message.Size;
        message.Slice().CopyTo(destination);
        message.Close();
        return length;
    }
}
