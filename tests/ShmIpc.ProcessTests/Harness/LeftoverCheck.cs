// After all tests: nothing of ours is left in /dev/shm, and no child process is left.

namespace ShmIpc.ProcessTests.Harness;

#pragma warning disable CA1515 // xunit wants it public
public sealed class LeftoverCheck : IDisposable
{
    public void Dispose()
    {
        string[] files = Directory.GetFileSystemEntries("/dev/shm", ScratchRoot.Prefix + "*");
        List<int> children = Linux.Children();
        if (files.Length > 0 || children.Count > 0)
        {
            throw new InvalidOperationException(
                $"The tests left behind files [{string.Join(", ", files)}] and processes [{string.Join(", ", children)}].");
        }
    }
}
