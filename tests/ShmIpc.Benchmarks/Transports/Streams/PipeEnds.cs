// The named pipes of one child: echo and receiver make them. Opening one waits for its other end, so both sides go in the same order.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;

namespace ShmIpc.Benchmarks.Transports.Streams;

internal sealed class PipeEnds : IDisposable
{
    private readonly string _directory;
    private readonly FileStream? _reading;
    private readonly FileStream? _writing;

    public PipeEnds(ChildSettings settings)
    {
        _directory = settings.Directory;
        switch (settings.Role)
        {
            case Role.Receiver:
                Make("there");
                _reading = Open("there", FileAccess.Read);
                break;
            case Role.Echo:
                Make("back");
                Make("there");
                _reading = Open("there", FileAccess.Read);
                _writing = Open("back", FileAccess.Write);
                break;
            case Role.Ping:
                _writing = Open("there", FileAccess.Write);
                _reading = Open("back", FileAccess.Read);
                break;
            default:
                _writing = Open("there", FileAccess.Write);
                break;
        }

        Frames = new Frames(buffer => _reading!.Read(buffer));
    }

    public FileStream Writing => _writing!;

    public Frames Frames { get; }

    public void Dispose()
    {
        _reading?.Dispose();
        _writing?.Dispose();
    }

    private void Make(string name)
    {
        using Process maker = Process.Start("mkfifo", Path.Combine(_directory, name));
        maker.WaitForExit();
        if (maker.ExitCode != 0)
        {
            throw new IOException($"mkfifo ended with exit code {maker.ExitCode}.");
        }
    }

    private FileStream Open(string name, FileAccess access)
    {
        string path = Path.Combine(_directory, name);
        Rendezvous.WaitUntil(() => File.Exists(path), "pipe");
        return new FileStream(path, FileMode.Open, access, FileShare.ReadWrite, bufferSize: 0); // shared: or .NET locks the file
    }
}
