// A private directory on /dev/shm for the regions of one test, removed with everything in it.

namespace ShmIpc.ProcessTests.Harness;

internal sealed class ScratchRoot : IDisposable
{
    public ScratchRoot()
    {
        Path = System.IO.Path.Combine("/dev/shm", $"{Prefix}{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public static string Prefix { get; } = $"shmipc-processtest-{Environment.ProcessId}-";

    public string Path { get; }

    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
