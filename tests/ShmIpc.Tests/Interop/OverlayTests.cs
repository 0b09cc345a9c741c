// Overlay file systems, which say of themselves that they are overlays and not what is under them.

using System.Diagnostics;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Tests.Memory;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class OverlayTests
{
    private const string Mounts = """
        21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
        40 21 0:40 / /merged rw,relatime shared:7 - overlay overlay rw,lowerdir=/lower,upperdir=/upper\040dir,workdir=/work
        41 21 0:40 /sub /bound\134 rw,relatime - overlay overlay rw,lowerdir=/lower,upperdir=/upper,workdir=/work
        42 21 0:41 / /read-only rw,relatime - overlay overlay ro,lowerdir=/a:/b
        """;

    [Theory]
    [InlineData("40", "/merged/x/y", "/upper dir/x/y")]
    [InlineData("40", "/merged", "/upper dir")]
    [InlineData("40", null, "/upper dir")]
    [InlineData("40", "/elsewhere", null)]
    [InlineData("41", "/bound\\/x", "/upper/sub/x")]
    [InlineData("42", "/read-only/x", null)]
    [InlineData("42", null, null)]
    [InlineData("21", "/x", null)]
    [InlineData("99", "/x", null)]
    public void The_place_in_the_upper_layer(string mount, string? path, string? expected) =>
        Assert.Equal(expected, OverlayLayer.UpperPathOf(mount, Mounts, path));

    [Fact]
    public void An_overlay_on_a_tmpfs_is_in_memory()
    {
        const long TooMuch = 1L << 42;
        using SmallTmpfs small = new();
        using Overlay overlay = new(small.Path, small.Path);
        using (var file = overlay.NewFile("sparse"))
        {
            Assert.True(LinuxFile.IsInMemory(file));
            LinuxFile.SetLength(file, TooMuch);
        }

        // Reading the holes of a tmpfs takes memory.
        using (var file = LinuxFile.OpenForReading(Path.Combine(overlay.Path, "sparse")))
        {
            Assert.Equal(LibCExtras.OVERLAYFS_SUPER_MAGIC, LinuxFile.FileSystemMagic(file));
            Assert.True(LinuxFile.IsInMemory(file));
            MemoryMappingOptions options = new() { Access = MemoryAccess.ReadOnly };
            Assert.Throws<ShmNoSpaceException>(() => MemoryMapping.MapFile(file, 0, TooMuch, options));
            Assert.Equal(0, KernelProbe.AllocatedBytes(file));
            using var little = MemoryMapping.MapFile(file, 0, 65536, options);
            Assert.Equal(65536, KernelProbe.AllocatedBytes(file));
        }
    }

    [Fact]
    public void What_lies_in_a_lower_layer_on_a_disk_is_not_in_memory()
    {
        using DiskRoot disk = new();
        File.WriteAllText(Path.Combine(disk.Path, "below"), "x");
        using SmallTmpfs small = new();
        using Overlay overlay = new(small.Path, disk.Path);
        using (var below = LinuxFile.OpenForReading(Path.Combine(overlay.Path, "below"))) Assert.False(LinuxFile.IsInMemory(below));
        using (var copied = File.OpenHandle(Path.Combine(overlay.Path, "below"), FileMode.Open, FileAccess.ReadWrite))
        {
            Assert.True(LinuxFile.IsInMemory(copied)); // opening for writing brings it up
        }

        using var above = LinuxFile.OpenForReading(Path.Combine(overlay.Path, "below"));
        Assert.True(LinuxFile.IsInMemory(above));
    }

    /// <summary>An overlay with its upper layer in one directory, and another as the lower one.</summary>
    private sealed class Overlay : IDisposable
    {
        public Overlay(string upper, string lower)
        {
            string[] parts = ["upper layer", "work", "merged"];
            foreach (var part in parts) Directory.CreateDirectory(System.IO.Path.Combine(upper, part));
            if (upper == lower) lower = Directory.CreateDirectory(System.IO.Path.Combine(upper, "lower")).FullName;
            Path = System.IO.Path.Combine(upper, "merged");
            var layers = $"lowerdir={lower},upperdir={upper}/upper layer,workdir={upper}/work";
            var complaint = Run("mount", "-t", "overlay", "-o", layers, "overlay", Path);
            Assert.SkipUnless(complaint.Length == 0, $"No overlay can be mounted here: {complaint}");
        }

        public string Path { get; }

        public Microsoft.Win32.SafeHandles.SafeFileHandle NewFile(string name) =>
            File.OpenHandle(System.IO.Path.Combine(Path, name), FileMode.CreateNew, FileAccess.ReadWrite);

        public void Dispose() => _ = Run("umount", "-l", Path);

        private static string Run(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            var complaint = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? "" : $"{complaint.Trim()} ({process.ExitCode})";
        }
    }
}
