using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class LinuxFileTests : IDisposable
{
    private const uint Mode0600 = 0x180;
    private const uint Mode0755 = 0x1ED;
    private const uint Mode2770 = 0x5F8;

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_directory_gets_exactly_its_mode_whatever_the_umask()
    {
        foreach (var mode in (uint[])[Mode0755, Mode2770, 0x1C0])
        {
            var path = Path.Combine(_scratch.Path, "d" + mode);
            LinuxFile.MakeDirectory(path, mode);
            using var directory = LinuxFile.OpenDirectory(path);
            Assert.Equal(mode, LinuxFile.Status(directory).Permissions);
            Assert.True(LinuxFile.Status(directory).IsDirectory);
        }
    }

    [Fact]
    public void An_existing_directory_keeps_its_mode()
    {
        var path = Path.Combine(_scratch.Path, "d");
        LinuxFile.MakeDirectory(path, 0x1C0);
        LinuxFile.MakeDirectory(path, Mode0755);
        using var directory = LinuxFile.OpenDirectory(path);
        Assert.Equal(0x1C0u, LinuxFile.Status(directory).Permissions);
    }

    [Fact]
    public void A_directory_below_nothing_is_an_error_with_the_path()
    {
        var error = Assert.Throws<ShmException>(() => LinuxFile.MakeDirectory(Path.Combine(_scratch.Path, "no", "d"), 0x1C0));
        Assert.Equal(LibC.ENOENT, error.ErrorNumber);
        Assert.Contains("no/d", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenDirectory_refuses_a_symbolic_link_a_file_and_nothing()
    {
        Directory.CreateSymbolicLink(Path.Combine(_scratch.Path, "link"), "/tmp");
        File.WriteAllText(Path.Combine(_scratch.Path, "file"), "");
        Assert.Equal(LibC.ENOTDIR, Refusal("link"));
        Assert.Equal(LibC.ENOTDIR, Refusal("file"));
        Assert.Equal(LibC.ENOENT, Refusal("nothing"));

        int Refusal(string name) =>
            Assert.Throws<ShmException>(() => LinuxFile.OpenDirectory(Path.Combine(_scratch.Path, name))).ErrorNumber;
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void Names_that_C_cannot_hold_are_refused(string name)
    {
        Assert.Throws<ArgumentException>(() => LinuxFile.OpenDirectory(name));
        Assert.Throws<ArgumentException>(() => LinuxFile.TryOpenAt(_scratch.Handle, name, out _));
    }

    [Fact]
    public void TryOpenAt_opens_for_reading_and_writing_or_says_why_not()
    {
        File.WriteAllText(Path.Combine(_scratch.Path, "file-ä"), "hello");
        File.CreateSymbolicLink(Path.Combine(_scratch.Path, "link"), "file-ä");

        using var file = LinuxFile.TryOpenAt(_scratch.Handle, "file-ä", out var errno);
        Assert.NotNull(file);
        Assert.Equal(0, errno);
        Assert.Equal(LibC.O_RDWR, LinuxFile.OpenFlags(file) & LibC.O_ACCMODE);
        Assert.Equal(5, LinuxFile.Status(file).SizeBytes);

        Assert.Null(LinuxFile.TryOpenAt(_scratch.Handle, "nothing", out errno));
        Assert.Equal(LibC.ENOENT, errno);
        Assert.Null(LinuxFile.TryOpenAt(_scratch.Handle, "link", out errno));
        Assert.Equal(LibC.ELOOP, errno);
    }

    [Fact]
    public void A_temporary_file_has_its_exact_mode_and_no_name_until_linked()
    {
        using var file = LinuxFile.OpenTemporaryAt(_scratch.Handle, 0x1B6); // 0666, which any umask would cut
        Assert.Equal(0x1B6u, LinuxFile.Status(file).Permissions);
        Assert.True(LinuxFile.Status(file).IsRegularFile);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));

        Assert.True(LinuxFile.TryLinkAt(file, _scratch.Handle, "name"));
        Assert.True(LinuxFile.TryStatusAt(_scratch.Handle, "name", out var status));
        Assert.Equal(LinuxFile.Status(file), status);
        Assert.Equal(LinuxProcess.EffectiveUserId, status.UserId);
    }

    [Fact]
    public void TryLinkAt_never_replaces_what_has_the_name()
    {
        using var first = LinuxFile.OpenTemporaryAt(_scratch.Handle, Mode0600);
        using var second = LinuxFile.OpenTemporaryAt(_scratch.Handle, Mode0600);
        Assert.True(LinuxFile.TryLinkAt(first, _scratch.Handle, "name"));
        Assert.False(LinuxFile.TryLinkAt(second, _scratch.Handle, "name"));
        Assert.True(LinuxFile.TryStatusAt(_scratch.Handle, "name", out var status));
        Assert.Equal(LinuxFile.Status(first).Inode, status.Inode);
    }

    [Fact]
    public void A_file_system_without_unnamed_files_is_named_as_the_reason()
    {
        Assert.SkipWhen(LinuxProcess.EffectiveUserId != 0, "Only root may write to /proc, and so learns that it has no unnamed files.");
        using var proc = LinuxFile.OpenDirectory("/proc");
        var error = Assert.Throws<ShmException>(() => LinuxFile.OpenTemporaryAt(proc, Mode0600));
        Assert.Contains("tmpfs", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryUnlinkAt_takes_a_name_once()
    {
        File.WriteAllText(Path.Combine(_scratch.Path, "name"), "");
        Assert.True(LinuxFile.TryUnlinkAt(_scratch.Handle, "name"));
        Assert.False(LinuxFile.TryUnlinkAt(_scratch.Handle, "name"));
        Assert.False(LinuxFile.TryStatusAt(_scratch.Handle, "name", out _));
    }

    [Fact]
    public void TryStatusAt_sees_the_link_itself()
    {
        File.CreateSymbolicLink(Path.Combine(_scratch.Path, "link"), "nowhere");
        Assert.True(LinuxFile.TryStatusAt(_scratch.Handle, "link", out var status));
        Assert.True(status.IsSymbolicLink);
        Assert.False(status.IsRegularFile);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reopen_makes_another_description_of_the_same_file(bool writable)
    {
        using var file = _scratch.NewFile(100);
        using var other = LinuxFile.Reopen(file, writable);
        Assert.Equal(LinuxFile.Status(file), LinuxFile.Status(other));
        Assert.Equal(writable ? LibC.O_RDWR : LibC.O_RDONLY, LinuxFile.OpenFlags(other) & LibC.O_ACCMODE);
    }

    [Fact]
    public void ReadAt_reads_to_the_end_and_no_further()
    {
        using var file = _scratch.NewFile();
        RandomAccess.Write(file, Encoding.UTF8.GetBytes("0123456789"), 0);
        var buffer = new byte[8];
        Assert.Equal(8, LinuxFile.ReadAt(file, buffer, 1));
        Assert.Equal("12345678", Encoding.UTF8.GetString(buffer));
        Assert.Equal(2, LinuxFile.ReadAt(file, buffer, 8));
        Assert.Equal(0, LinuxFile.ReadAt(file, buffer, 10));
        Assert.Equal(0, LinuxFile.ReadAt(file, [], 0));
    }

    [Fact]
    public void A_closed_handle_is_an_ObjectDisposedException_and_an_invalid_one_an_ArgumentException()
    {
        var file = _scratch.NewFile();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => LinuxFile.Status(file));
        using var invalid = new SafeFileHandle(-1, ownsHandle: false);
        Assert.Throws<ArgumentException>(() => LinuxFile.Status(invalid));
    }

    [Fact]
    public void Descriptors_are_not_inherited()
    {
        using var file = _scratch.NewFile();
        using var other = LinuxFile.Reopen(file);
        foreach (var handle in (SafeFileHandle[])[_scratch.Handle, file, other])
        {
            Assert.Equal(LibC.FD_CLOEXEC, LibC.fcntl((int)handle.DangerousGetHandle(), LibC.F_GETFD));
        }
    }
}
