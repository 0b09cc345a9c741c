// The lines of a file as bytes, without a copy or an allocation a line: they are slices of a buffer that is refilled as it runs out.
namespace ShmIpc.Examples.Producer;

/// <summary>Reads a file line by line, as often as asked.</summary>
/// <param name="file">The file; it is read from its start on, and read again by <see cref="Rewind"/>.</param>
/// <param name="longestLine">Longer lines than this, in bytes, are an exception.</param>
/// <param name="bufferBytes">How much is read at once.</param>
internal sealed class LineSource(Stream file, int longestLine, int bufferBytes = 1 << 20)
{
    private byte[] _buffer = new byte[bufferBytes];
    private int _start;
    private int _end;
    private bool _atEnd;
    private long _number;

    /// <summary>The next line without its line feed, valid until the next call; false at the end of the file.</summary>
    /// <exception cref="InvalidDataException">The line is too long.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n') + searched;
            bool complete = length >= searched;
            if (!complete)
                length = _end - _start;
            if (length > longestLine)
                throw new InvalidDataException($"line {_number + 1} is longer than {longestLine} bytes");
            if (complete || (_atEnd && length > 0))
            {
                line = _buffer.AsMemory(_start, length);
                _start += complete ? length + 1 : length;
                _number++;
                return true;
            }
            if (_atEnd)
            {
                line = default;
                return false;
            }
            searched = length;
            Fill();
        }
    }

    /// <summary>Goes back to the first line.</summary>
    public void Rewind()
    {
        file.Position = 0;
        (_start, _end, _atEnd, _number) = (0, 0, false, 0);
    }

    private void Fill()
    {
        int kept = _end - _start;
        byte[] target = kept > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        _buffer.AsSpan(_start, kept).CopyTo(target);
        _buffer = target;
        int read = file.Read(_buffer, kept, _buffer.Length - kept);
        (_start, _end, _atEnd) = (0, kept + read, read == 0);
    }
}
