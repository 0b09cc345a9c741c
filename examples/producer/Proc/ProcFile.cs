// Reads the small files under /proc into a buffer that is used again. What cannot be read reads as empty: processes end between being
// listed and being read, and containers leave files out.
using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Examples.Producer.Proc;

internal sealed class ProcFile
{
    private byte[] _buffer = new byte[16 * 1024];

    /// <summary>The whole file, valid until the next call; empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> Read(string path)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            int length = 0;
            while (RandomAccess.Read(file, _buffer.AsSpan(length), length) is > 0 and int read)
            {
                length += read;
                if (length == _buffer.Length)
                    Array.Resize(ref _buffer, length * 2);
            }
            return _buffer.AsSpan(0, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
