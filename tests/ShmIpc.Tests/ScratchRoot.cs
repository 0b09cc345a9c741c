namespace ShmIpc.Tests;

/// <summary>A private directory for regions, on /dev/shm where there is one, removed with everything in it.</summary>
internal sealed class ScratchRoot : IDisposable
{
    public ScratchRoot()
    {
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(parent, $"shmipc-test-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path { get; }

    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Lays a file into it, as of a made-up /proc or /sys.</summary>
    public void Lay(string file, string content)
    {
        string path = FileOf(file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
