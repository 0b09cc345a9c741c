// Receives as much as is there (up to 256 KiB a call) and takes the messages, each behind its length, out of it one by one.

using System.Buffers.Binary;

namespace ShmIpc.Benchmarks.Transports.Streams;

internal sealed class Frames(ByteSource source)
{
    private readonly byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;

    /// <summary>Waits for the next message, copies it out and returns its length in bytes.</summary>
    public int Next(Span<byte> destination)
    {
        Fill(sizeof(int));
        int length = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(_start));
        Fill(sizeof(int) + length);
        _buffer.AsSpan(_start + sizeof(int), length).CopyTo(destination);
        _start += sizeof(int) + length;
        return length;
    }

    private void Fill(int wantedBytes)
    {
        if (_end - _start >= wantedBytes)
        {
            return;
        }

        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        while (_end < wantedBytes)
        {
            int received = source(_buffer.AsSpan(_end));
            _end += received > 0 ? received : throw new EndOfStreamException("The other end has gone.");
        }
    }
}
