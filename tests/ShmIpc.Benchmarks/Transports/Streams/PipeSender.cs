// One write call a message, its length (4 bytes) in front of it. The kernel takes up to 4 KiB at once or not at all.

using System.Buffers.Binary;

namespace ShmIpc.Benchmarks.Transports.Streams;

internal readonly struct PipeSender(FileStream pipe, int payloadBytes) : ISender
{
    private readonly byte[] _frame = new byte[sizeof(int) + payloadBytes];

    public bool Send(ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_frame, payload.Length);
        payload.CopyTo(_frame.AsSpan(sizeof(int)));
        try
        {
            pipe.Write(_frame.AsSpan(0, sizeof(int) + payload.Length));
            return true;
        }
        catch (IOException)
        {
            return false; // it is the receiver, closing, and what went wrong there is reported there
        }
    }
}
