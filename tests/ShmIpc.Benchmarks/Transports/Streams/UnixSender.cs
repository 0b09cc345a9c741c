// One send call a message, its length (4 bytes) in front of it.

using System.Buffers.Binary;
using System.Net.Sockets;

namespace ShmIpc.Benchmarks.Transports.Streams;

internal readonly struct UnixSender(Socket socket, int payloadBytes) : ISender
{
    private readonly byte[] _frame = new byte[sizeof(int) + payloadBytes];

    public bool Send(ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_frame, payload.Length);
        payload.CopyTo(_frame.AsSpan(sizeof(int)));
        ReadOnlySpan<byte> rest = _frame.AsSpan(0, sizeof(int) + payload.Length);
        while (!rest.IsEmpty)
        {
            int sent = socket.Send(rest, SocketFlags.None, out SocketError error);
            if (error != SocketError.Success)
            {
                return false; // whatever it says: it is the receiver, closing, and what went wrong there is reported there
            }

            rest = rest[sent..];
        }

        return true;
    }
}
