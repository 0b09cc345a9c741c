// What a worker writes to stdout or stderr, cut into lines.

using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

internal sealed class OutputPipe(SafeFileHandle reading, int index, bool isError, Action<int, bool, string> onLine) : IDisposable
{
    private const int BufferBytes = 4096;
    private const int MaxLineLength = 64 * 1024; // a longer one is cut: what never ends must not fill the parent
    private const int MaxReads = 64;             // one who writes for ever does not keep the others waiting

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _line = new();

    public SafeFileHandle Handle => reading;

    /// <summary>Hands on what is there.</summary>
    /// <returns>False when there will never be more.</returns>
    public bool Pump()
    {
        Span<byte> bytes = stackalloc byte[BufferBytes];
        Span<char> characters = stackalloc char[BufferBytes + 1];
        for (int i = 0; i < MaxReads; i++)
        {
            int count = LinuxPipe.Read(reading, bytes);
            if (count < 0)
            {
                return true;
            }

            if (count == 0)
            {
                return false;
            }

            Cut(characters[.._decoder.GetChars(bytes[..count], characters, flush: false)]);
        }

        return true;
    }

    /// <summary>Hands on a last line that had no end.</summary>
    public void Dispose()
    {
        if (_line.Length > 0)
        {
            EndLine();
        }

        reading.Dispose();
    }

    private void Cut(ReadOnlySpan<char> text)
    {
        foreach (char character in text)
        {
            if (character == '\n')
            {
                EndLine();
                continue;
            }

            _line.Append(character);
            if (_line.Length == MaxLineLength)
            {
                EndLine();
            }
        }
    }

    private void EndLine()
    {
        if (_line.Length > 0 && _line[^1] == '\r')
        {
            _line.Length--;
        }

        string line = _line.ToString();
        _line.Clear();
        onLine(index, isError, line);
    }
}
