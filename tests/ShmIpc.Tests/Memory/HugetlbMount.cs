// A hugetlbfs in a directory of its own, for as long as a test runs; skipped where this process may not mount.

using System.Diagnostics;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal sealed class HugetlbMount : IDisposable
{
    public HugetlbMount(long pageBytes)
    {
        Path = Directory.CreateTempSubdirectory("shmipc-hugetlbfs-").FullName;
        var complaint = Run("mount", "-t", "hugetlbfs", "-o", $"pagesize={pageBytes}", "none", Path);
        if (complaint is null) return;
        Directory.Delete(Path);
        Assert.Skip($"No hugetlbfs can be mounted here: {complaint}");
    }

    public string Path { get; }

    public void Dispose()
    {
        Assert.Null(Run("umount", Path));
        Directory.Delete(Path);
    }

    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            var complaint = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : complaint;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return error.Message; // there is no such program
        }
    }
}
