// The locks of a file in the kernel's own words, without the numbers that differ from run to run. As fdinfo has them, descriptor by
// descriptor: /proc/locks is read in parts, and loses or repeats lines when other tests lock and unlock between two of them.

using System.Globalization;
using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal static class KernelLocks
{
    /// <summary>Those of this process, such as <c>OFDLCK WRITE 0 EOF</c>, <c>POSIX READ 5 14</c> or <c>FLOCK WRITE 0 EOF</c>.</summary>
    public static string[] Of(string path)
    {
        Assert.True(LinuxFile.TryStatus(path, out var status));
        var inode = string.Create(CultureInfo.InvariantCulture, $":{status.Inode}");
        return
        [
            .. Directory.GetFiles("/proc/self/fdinfo").SelectMany(LinesOf)
                .Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words[0] == "lock:" && words[6].EndsWith(inode, StringComparison.Ordinal)) // 1: POSIX ADVISORY READ 9 0:1:7 5 14
                .Select(words => $"{words[2]} {words[4]} {words[7]} {words[8]}")
                .Order(StringComparer.Ordinal),
        ];
    }

    private static string[] LinesOf(string descriptor)
    {
        try
        {
            return File.ReadAllLines(descriptor);
        }
        catch (IOException)
        {
            return []; // closed since
        }
    }
}
