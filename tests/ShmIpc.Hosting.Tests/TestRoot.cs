// A directory of its own for one test's channels, in /dev/shm (or the temporary directory where that is missing), removed afterwards.

namespace ShmIpc.Hosting.Tests;

internal sealed class TestRoot : IDisposable
{
    public TestRoot()
    {
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(parent, $"shmipc-hosting-test-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
