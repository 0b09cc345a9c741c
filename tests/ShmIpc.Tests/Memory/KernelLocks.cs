// The locks of a file in the kernel's own words: its lines of /proc/locks, without the numbers that differ from run to run.

using System.Globalization;
using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal static class KernelLocks
{
    /// <summary>Such as <c>OFDLCK WRITE 0 EOF</c>, <c>POSIX READ 5 14</c> or <c>FLOCK WRITE 0 EOF</c>.</summary>
    public static string[] Of(string path)
    {
        Assert.True(LinuxFile.TryStatus(path, out var status));
        var inode = string.Create(CultureInfo.InvariantCulture, $":{status.Inode}");
        return
        [
            .. File.ReadLines("/proc/locks")
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) // 1: OFDLCK ADVISORY WRITE -1 fe:00:1165 5 14
                .Where(words => words[5].EndsWith(inode, StringComparison.Ordinal))
                .Select(words => $"{words[1]} {words[3]} {words[6]} {words[7]}")
                .Order(StringComparer.Ordinal),
        ];
    }
}
