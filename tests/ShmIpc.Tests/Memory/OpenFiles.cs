// The descriptors that this process has of one file, as /proc/self/fd says. Other tests run beside: the number of all means nothing.

using System.Globalization;

namespace ShmIpc.Tests.Memory;

internal static class OpenFiles
{
    public static int[] Of(string path) =>
    [
        .. Directory.GetFileSystemEntries("/proc/self/fd")
            .Where(link => new FileInfo(link).LinkTarget == path) // null for one that was closed since
            .Select(link => int.Parse(Path.GetFileName(link), CultureInfo.InvariantCulture)),
    ];
}
