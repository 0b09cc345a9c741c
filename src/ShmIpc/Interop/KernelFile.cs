// The files in which the kernel speaks, under /proc and /sys, read by plain system calls: refusals are explained from them, so this works
// with one free descriptor and next to no memory, and throws nothing. What cannot be read is null.

using System.Globalization;
using System.Text;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal sealed unsafe class KernelFile : IDisposable
{
    private const int FirstBytes = 8 << 10;
    private const int MostTextBytes = 1 << 20;

    private readonly int _descriptor;
    private byte[] _buffer = new byte[FirstBytes];
    private int _start;
    private int _end;

    private KernelFile(int descriptor) => _descriptor = descriptor;

    /// <summary>The errno of the read that ended the file before its end; 0 for none.</summary>
    public int Failure { get; private set; }

    /// <summary>Opens a file for reading; null when that failed, and why in <paramref name="failure"/>.</summary>
    public static KernelFile? TryOpen(string path, out int failure)
    {
        int descriptor;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            do
            {
                descriptor = open(name, O_RDONLY | O_CLOEXEC);
                failure = descriptor < 0 ? errno : 0;
            }
            while (failure == EINTR);
        }

        return descriptor < 0 ? null : new KernelFile(descriptor);
    }

    /// <summary>The whole file; null when it cannot be read.</summary>
    public static string? Text(string path)
    {
        using var file = TryOpen(path, out _);
        if (file is null) return null;
        while (file._end < MostTextBytes && file.Fill() > 0)
        {
        }

        return file.Failure == 0 ? Encoding.UTF8.GetString(file._buffer, 0, file._end) : null;
    }

    /// <summary>A file that is one number; null when it is none (<c>max</c>), or cannot be read.</summary>
    public static long? Number(string path) =>
        long.TryParse(Text(path).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>How many lines a file has; null when it cannot be read.</summary>
    public static long? LineCount(string path)
    {
        using var file = TryOpen(path, out _);
        if (file is null) return null;
        long count = 0;
        for (int read; (read = file.Fill()) > 0; file._end = 0) count += file._buffer.AsSpan(0, read).Count((byte)'\n');
        return file.Failure == 0 ? count : null;
    }

    /// <summary>The bytes that a line such as <c>MemAvailable:   23515704 kB</c> of a text tells; null when there is none.</summary>
    public static long? KibibyteField(string? text, string name) =>
        Field(text, name) is { } value && value.EndsWith(" kB", StringComparison.Ordinal)
            && long.TryParse(value.AsSpan()[..^3], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue / 1024
            ? 1024 * number
            : null;

    /// <summary>What stands behind <c>name:</c> at the beginning of a line; null when no line begins so.</summary>
    public static string? Field(string? text, string name)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.Ordinal))
            {
                return line[(name.Length + 1)..].Trim().ToString();
            }
        }

        return null;
    }

    /// <summary>The next line, without its end; false at the end of the file, and where it can be read no further (<see cref="Failure"/>).
    /// It is good until the next call.</summary>
    public bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int end = _buffer.AsSpan((_start + searched).._end).IndexOf((byte)'\n');
            if (end >= 0)
            {
                line = _buffer.AsSpan(_start, searched + end);
                _start += searched + end + 1;
                return true;
            }

            searched = _end - _start;
            _buffer.AsSpan(_start, searched).CopyTo(_buffer);
            (_start, _end) = (0, searched);
            if (Fill() == 0)
            {
                line = _buffer.AsSpan(0, _end);
                _start = _end;
                return line.Length > 0;
            }
        }
    }

    public void Dispose() => _ = close(_descriptor);

    // Reads on behind what is in the buffer, which grows when it is full; 0 at the end.
    private int Fill()
    {
        if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        fixed (byte* start = _buffer)
        {
            while (true)
            {
                var count = (int)(long)read(_descriptor, start + _end, _buffer.Length - _end);
                if (count < 0 && errno == EINTR) continue;
                if (count < 0) Failure = errno;
                _end += Math.Max(0, count);
                return Math.Max(0, count);
            }
        }
    }
}
