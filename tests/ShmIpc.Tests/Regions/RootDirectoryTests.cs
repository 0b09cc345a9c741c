using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.Regions;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>Which directories may hold regions.</summary>
public sealed class RootDirectoryTests : IDisposable
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const string ChildMark = "SHMIPC_TEST_DEFAULT_ROOT";
    private readonly ScratchRoot _outer = new();

    private string Root => _outer.FileOf("root");

    [Fact]
    public void A_missing_root_is_made_for_its_user_alone_by_whoever_creates()
    {
        ShmByteChannel.Create("x", RegionScene.Options(Root)).Dispose();
        Assert.Equal(Mine, File.GetUnixFileMode(Root));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Root, "x")));
    }

    [Fact]
    public void A_missing_root_is_not_made_by_whoever_only_looks()
    {
        RegionScene.Refused<ShmRegionNotFoundException>(
            _outer.Path, () => ShmByteChannel.Open("x", RegionScene.Options(Root)),
                "There is no region", Path.Combine(Root, "x"), "CreateOrOpen");
        Assert.False(ShmChannel.Exists("x", Root));
        Assert.False(ShmChannel.Delete("x", Root));
        Assert.False(Directory.Exists(Root));
    }

    [Theory]
    [InlineData(Mine | Group | Others, "0777")]
    [InlineData(Mine | Group | Others | UnixFileMode.StickyBit, "1777")]
    [InlineData(Mine | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute, "0703")]
    [InlineData(Mine | Group, "0770")]
    [InlineData(Mine | Group | Others | UnixFileMode.SetGroup, "2777")]
    public void A_root_in_which_others_may_write_is_refused(UnixFileMode mode, string shown)
    {
        MakeRoot(mode);
        IsRefused<UnauthorizedAccessException>(Root, $"has mode {shown}", "Use 0700, or 2770");
    }

    [Fact]
    public void A_root_that_others_may_only_read_is_taken()
    {
        MakeRoot(Mine | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        ShmByteChannel.Create("x", RegionScene.Options(Root)).Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Root, "x")));
    }

    [Fact]
    public void A_root_that_is_a_file_is_refused()
    {
        File.WriteAllText(Root, "");
        IsRefused<ShmException>(Root, "ENOTDIR", "not a directory");
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("//")]
    public void A_root_that_is_a_symbolic_link_is_refused(string behind)
    {
        Directory.CreateDirectory(_outer.FileOf("real"), Mine);
        Directory.CreateSymbolicLink(Root, _outer.FileOf("real"));
        RegionScene.Refused<ShmException>(
            _outer.Path, () => ShmByteChannel.CreateOrOpen("x", RegionScene.Options(Root + behind)), Root, "symbolic link");
    }

    [Fact]
    public void A_root_in_a_directory_that_is_missing_is_refused()
    {
        string root = Path.Combine(_outer.Path, "missing", "root");
        IsRefused<ShmException>(root, "does not exist", "Make that first", "SHMIPC_ROOT");
    }

    [Fact]
    public void An_empty_root_is_refused() => Assert.Contains(
        "Give a path, or null for the default",
        Assert.Throws<ArgumentException>(() => ShmByteChannel.CreateOrOpen("x", RegionScene.Options(""))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_root_of_somebody_else_is_refused()
    {
        MakeRoot(Mine);
        Ownership.Give(Root, Ownership.SomebodyElse, Ownership.SomebodyElse);
        IsRefused<UnauthorizedAccessException>(Root, $"belongs to user {Ownership.SomebodyElse}", "runs as user 0", "SHMIPC_ROOT");
    }

    [Fact]
    public void A_root_that_is_read_only_says_so()
    {
        Assert.SkipWhen(LinuxProcess.EffectiveUserId == 0, "Nothing is read-only to root.");
        MakeRoot(UnixFileMode.UserRead | UnixFileMode.UserExecute);
        RegionScene.Refused<UnauthorizedAccessException>(
            _outer.Path, () => ShmByteChannel.CreateOrOpen("x", RegionScene.Options(Root)), "EACCES", "check owner and mode");
    }

    [Fact]
    public void A_root_of_a_group_holds_regions_of_that_group()
    {
        MakeRoot(Mine | Group | UnixFileMode.SetGroup);
        string file = Path.Combine(Root, "x");
        using (ShmByteChannel channel = ShmByteChannel.Create("x", RegionScene.Options(Root)))
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
                    File.GetUnixFileMode(file));
            using ByteProducer producer = channel.CreateProducer();
            using ByteConsumer consumer = channel.CreateConsumer();
            Assert.True(producer.TryWrite("x"u8));
            Assert.True(consumer.TryRead(out _));
        }

        File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherRead);
        RegionScene.Refused<UnauthorizedAccessException>(
            Root, () => ShmByteChannel.Open("x", RegionScene.Options(Root)), "has mode 0664", "a region here has 0660");
    }

    [Fact]
    public void In_a_root_of_a_group_the_owner_may_be_another_member()
    {
        MakeRoot(Mine | Group | UnixFileMode.SetGroup);
        Ownership.Give(Root, Ownership.SomebodyElse, Ownership.SomebodyElse);
        File.SetUnixFileMode(Root, Mine | Group | UnixFileMode.SetGroup); // a change of owner drops the bit
        ShmByteChannel.Create("x", RegionScene.Options(Root)).Dispose();
        string file = Path.Combine(Root, "x");
        Ownership.Give(file, Ownership.SomebodyElse + 1, Ownership.SomebodyElse);
        ShmByteChannel.Open("x", RegionScene.Options(Root)).Dispose();
        Ownership.Give(file, Ownership.SomebodyElse + 1, Ownership.SomebodyElse + 1);
        RegionScene.Refused<UnauthorizedAccessException>(
            Root, () => ShmByteChannel.Open("x", RegionScene.Options(Root)), $"belongs to user {Ownership.SomebodyElse + 1}");
    }

    [Fact]
    public void The_default_root_is_of_this_user_and_the_environment_replaces_it()
    {
        string? set = Environment.GetEnvironmentVariable(RegionRoot.EnvironmentVariable);
        string expected = string.IsNullOrEmpty(set) ? $"/dev/shm/shmipc-{LinuxProcess.EffectiveUserId}" : set;
        Assert.Equal(expected, RegionRoot.PathOf(null));
        Assert.Equal("/a/b", RegionRoot.PathOf("/a/./c/../b//"));
        Assert.Equal("/", RegionRoot.PathOf("/"));
    }

    [Fact]
    public async Task A_default_root_that_somebody_else_made_and_shares_is_refused()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ShmIpc.Tests");
        Assert.SkipUnless(LinuxProcess.EffectiveUserId == 0, "Only root can act as another user.");
        Assert.SkipUnless(File.Exists(program) && File.Exists("/usr/bin/setpriv"),
            "There is no test program or no setpriv to start it as another user.");
        string root = $"/dev/shm/shmipc-{Ownership.SomebodyElse}";
        Assert.SkipWhen(Directory.Exists(root), $"{root} is in use.");
        Directory.CreateDirectory(root);
        try
        {
            Ownership.Give(root, Ownership.SomebodyElse + 1, Ownership.SomebodyElse);
            File.SetUnixFileMode(root, Mine | Group | UnixFileMode.SetGroup);
            ProcessStartInfo start = new(
                "/usr/bin/setpriv",
                [
                    $"--reuid={Ownership.SomebodyElse}", $"--regid={Ownership.SomebodyElse}", "--clear-groups", program,
                    "-noColor", "-explicit", "only", "-method", $"{typeof(RootDirectoryTests).FullName}.{nameof(Child)}",
                ])
            {
                RedirectStandardOutput = true,
                WorkingDirectory = "/",
            };
            start.Environment[ChildMark] = root;
            start.Environment["HOME"] = "/tmp";
            using Process child = Process.Start(start)!;
            string output = await child.StandardOutput.ReadToEndAsync(
                TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(3));
            await child.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(3));
            Assert.SkipUnless(output.Contains("Total: 1", StringComparison.Ordinal), $"The other user cannot run the tests: {output}");
            Assert.True(child.ExitCode == 0 && output.Contains("Skipped: 0", StringComparison.Ordinal), output);
            Assert.Empty(Directory.EnumerateFileSystemEntries(root));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact(Explicit = true)] // a part of the test above, which starts it as another user
    public void Child()
    {
        string? root = Environment.GetEnvironmentVariable(ChildMark);
        Assert.SkipUnless(root == RegionRoot.PathOf(null), "Runs only in a process that another test has started.");
        UnauthorizedAccessException refused = Assert.Throws<UnauthorizedAccessException>(() => ShmByteChannel.CreateOrOpen("x"));
        Assert.Contains($"belongs to user {Ownership.SomebodyElse + 1}", refused.Message, StringComparison.Ordinal);
        ShmByteChannel.CreateOrOpen("x", RegionScene.Options(root + "/../" + Path.GetFileName(root) + "-asked")).Dispose();
        Assert.True(ShmChannel.Delete("x", root + "-asked"));
        Directory.Delete(root + "-asked");
    }

    public void Dispose() => _outer.Dispose();

    private void MakeRoot(UnixFileMode mode)
    {
        Directory.CreateDirectory(Root);
        File.SetUnixFileMode(Root, mode);
    }

    private void IsRefused<TException>(string root, params string[] parts)
        where TException : Exception
    {
        string[] all = [root, .. parts];
        RegionScene.Refused<TException>(_outer.Path, () => ShmByteChannel.Create("x", RegionScene.Options(root)), all);
        RegionScene.Refused<TException>(_outer.Path, () => ShmByteChannel.CreateOrOpen("x", RegionScene.Options(root)), all);
    }
}
