// A disk of its own for a test: an ext4 in a file, mounted through a loop device. That takes root, mkfs.ext4 and loop devices; skipped
// without. Unmounted in any case when the test ends.

using System.Diagnostics;
using Xunit;

namespace ShmIpc.Tests.Interop;

internal sealed class LoopDisk : IDisposable
{
    private readonly string _image;

    /// <param name="directory">Where its file lies, and where it is mounted.</param>
    /// <param name="sizeBytes">The size of the disk. Its file has holes, and takes no more than what is written to the disk.</param>
    public LoopDisk(string directory, long sizeBytes)
    {
        Path = Directory.CreateDirectory(System.IO.Path.Combine(directory, "disk")).FullName;
        _image = System.IO.Path.Combine(directory, "image");
        SetLength(sizeBytes);
        Run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-N", "16", "-E", "nodiscard", _image);
        Run("mount", "-o", "loop,errors=continue", _image, Path);
    }

    public string Path { get; }

    /// <summary>Takes the end of the disk away, under the file system: what is written there is lost.</summary>
    public void Shrink(long sizeBytes)
    {
        SetLength(sizeBytes);
        var device = File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).Single(fields => fields[1] == Path)[0];
        Run("losetup", "-c", device);
    }

    public void Dispose() => Process.Start(new ProcessStartInfo("umount", ["-l", Path]) { RedirectStandardError = true })!.WaitForExit();

    private void SetLength(long bytes)
    {
        using var file = File.OpenHandle(_image, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.SetLength(file, bytes);
    }

    private static void Run(string program, params string[] arguments)
    {
        string complaint;
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            complaint = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0) return;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            complaint = error.Message; // there is no such program
        }

        Assert.Skip($"No disk can be made in a file here: {program}: {complaint.Trim()}");
    }
}
