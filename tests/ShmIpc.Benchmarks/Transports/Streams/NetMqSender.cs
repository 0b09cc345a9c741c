using NetMQ;
using NetMQ.Sockets;
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Transports.Streams;

/// <summary>The writing end of a NetMQ socket.</summary>
internal readonly struct NetMqSender(PairSocket socket, Lifeline lifeline) : ISender
{
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(100);

    public bool Send(ReadOnlySpan<byte> payload)
    {
        Msg message = default;
        message.InitPool(payload.Length);
        payload.CopyTo(message.Slice());
        while (!socket.TrySend(ref message, _patience, more: false))
        {
            if (lifeline.StopRequested)
            {
                return false; // the receiver has gone, and its queue is full
            }
        }

        message.Close();
        return true;
    }
}
