// After all tests: nothing of ours is left in /dev/shm, and no child process is left.

namespace ShmIpc.ProcessTests.Harness;

#pragma warning disable CA1515 // xunit wants it public
public sealed class LeftoverCheck : IDisposable
{
    public void Dispose()
    {
        // The runtime reaps in the background.
        Eventually.True(
            () => Files().Length == 0 && Linux.Children().Count == 0,
            () => "the tests leave nothing behind: "
                + $"files [{string.Join(", ", Files())}], processes [{string.Join(", ", Linux.Children())}]");

        static string[] Files() => Directory.GetFileSystemEntries("/dev/shm", ScratchRoot.Prefix + "*");
    }
}
