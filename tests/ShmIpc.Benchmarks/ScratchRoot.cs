// A private directory, as a rule under /dev/shm, for everything the measurements create. It is removed at the end, and those of drivers
// that were killed are removed by the next one: each holds a file lock as long as its driver lives.

namespace ShmIpc.Benchmarks;

internal sealed class ScratchRoot : IDisposable
{
    private const string Prefix = "shmipc-bench-";
    private const string LockName = "lock";

    private readonly FileStream _lock;
    private int _count;

    public ScratchRoot(string parent = "/dev/shm")
    {
        foreach (string left in System.IO.Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            RemoveUnlessInUse(left);
        }

        Directory = Path.Combine(parent, $"{Prefix}{Environment.ProcessId}-{Environment.TickCount64:x}");
        System.IO.Directory.CreateDirectory(Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _lock = new FileStream(Path.Combine(Directory, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    public string Directory { get; }

    /// <summary>A new, empty directory for one run of one contender.</summary>
    public string CreateDirectory()
    {
        string path = Path.Combine(Directory, $"{++_count}");
        System.IO.Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    public void Dispose()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        _lock.Dispose();
    }

    private static void RemoveUnlessInUse(string directory)
    {
        try
        {
            string path = Path.Combine(directory, LockName);
            using FileStream held = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            System.IO.Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // In use, somebody else's, or being made just now.
        }
    }
}
