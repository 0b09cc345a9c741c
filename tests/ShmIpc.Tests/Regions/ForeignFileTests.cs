using System.Text;
using ShmIpc.Channels;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>What may stand under a region's name and is not a file of ours: nothing of it is opened, followed, waited for or
/// changed.</summary>
public sealed class ForeignFileTests : IDisposable
{
    private readonly RegionScene _scene = new();

    [Fact]
    public void A_directory()
    {
        Directory.CreateDirectory(_scene.File);
        _scene.IsRefused<ShmRegionFormatException>(_scene.File, "it is a directory");
        Assert.Throws<ShmRegionFormatException>(() => ShmChannel.Delete(RegionScene.Name, _scene.Root));
        Assert.True(Directory.Exists(_scene.File));
    }

    [Fact]
    public void A_symbolic_link_even_to_a_region()
    {
        ShmByteChannel.Create("target", RegionScene.Options(_scene.Root)).Dispose();
        File.CreateSymbolicLink(_scene.File, Path.Combine(_scene.Root, "target"));
        _scene.IsRefused<ShmRegionFormatException>(_scene.File, "it is a symbolic link");
        Assert.Throws<ShmRegionFormatException>(() => ShmChannel.Delete(RegionScene.Name, _scene.Root));
        Assert.True(ShmChannel.Exists("target", _scene.Root));
    }

    [Fact]
    public void A_symbolic_link_to_nowhere()
    {
        File.CreateSymbolicLink(_scene.File, Path.Combine(_scene.Root, "nowhere"));
        _scene.IsRefused<ShmRegionFormatException>(_scene.File, "it is a symbolic link");
    }

    [Fact]
    public async Task A_pipe_without_waiting_for_its_other_end()
    {
        MakePipe(_scene.File);
        await Task.Run(() => _scene.IsRefused<ShmRegionFormatException>(_scene.File, "not a regular file"),
            TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead, "0604")]
    [InlineData(UnixFileMode.GroupRead | UnixFileMode.GroupWrite, "0660")]
    [InlineData(UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite, "0666")]
    public void A_region_that_others_may_touch(UnixFileMode more, string mode)
    {
        _scene.CreateAbandoned();
        File.SetUnixFileMode(_scene.File, UnixFileMode.UserRead | UnixFileMode.UserWrite | more);
        _scene.IsRefused<UnauthorizedAccessException>(_scene.File, $"has mode {mode}", "a region here has 0600", "chmod");
    }

    [Fact]
    public void A_region_of_somebody_else()
    {
        _scene.CreateAbandoned();
        Ownership.Give(_scene.File, Ownership.SomebodyElse, Ownership.SomebodyElse);
        _scene.IsRefused<UnauthorizedAccessException>(_scene.File,
            $"belongs to user {Ownership.SomebodyElse}", "this process runs as user 0", "2770");
        Assert.Throws<UnauthorizedAccessException>(() => ShmChannel.Delete(RegionScene.Name, _scene.Root));
        Assert.True(File.Exists(_scene.File));
    }

    public void Dispose() => _scene.Dispose();

    private static unsafe void MakePipe(string path)
    {
        const uint pipeOfMine = 0x1000 /* S_IFIFO */ | 0x180 /* 0600 */;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            Assert.Equal(0, LibC.mknod(name, (mode_t)pipeOfMine, default));
        }
    }
}
