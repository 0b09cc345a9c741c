// Somebody who does not take part does something to a region's file, or to the directory of regions.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class OutsiderTests : IDisposable
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly ScratchRoot _scratch = new();
    private readonly string _root;
    private readonly List<Party> _parties = [];
    private long _number;

    public OutsiderTests()
    {
        Users.Open(_scratch.Path);
        _root = _scratch.FileOf("root");
    }

    private string RegionFile => Path.Combine(_root, "x");

    [Fact]
    public void A_region_that_is_removed_serves_those_who_have_it_and_a_newcomer_makes_another()
    {
        (Party writer, Party reader) = Pair();
        File.Delete(RegionFile);
        Passes(writer, reader);
        Party newcomer = Guest();
        newcomer.IsRefused<ShmRegionNotFoundException>($"open {_root} x", RegionFile, "CreateOrOpen");
        newcomer.Do($"create-or-open {_root} x");
        Assert.Equal("0 0", newcomer.Do("counts")); // another population
        Assert.Equal("1 1", writer.Do("counts"));
        Passes(writer, reader);
        EnvironmentRows.Shown(
            30, "a region's file is removed by an outsider (`rm`)",
            "those attached go on among themselves; whoever comes later makes a new one");
    }

    [Fact]
    public void A_region_that_is_replaced_serves_those_who_have_it_and_the_other_file_is_looked_at_with_suspicion()
    {
        (Party writer, Party reader) = Pair();
        string other = Path.Combine(_root, "y");
        File.WriteAllText(other, "not a region");
        File.SetUnixFileMode(other, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (Environment.IsPrivilegedProcess)
        {
            Linux.ChangeOwner(other, Users.First, Users.First);
        }

        File.Move(other, RegionFile, overwrite: true);
        Passes(writer, reader);
        Party newcomer = Guest();
        foreach (string way in (string[])["open", "create-or-open"])
        {
            newcomer.IsRefused<ShmRegionFormatException>(
                $"{way} {_root} x", RegionFile, "has 12 bytes", "not a region", "delete it and create it anew");
        }

        Assert.Equal("yes", newcomer.Do($"delete {_root} x"));
        Passes(writer, reader); // they were not in it
        newcomer.Do($"create {_root} x");
        EnvironmentRows.Shown(
            31, "a region's file is replaced by another file",
            "`ShmRegionFormatException` of newcomers; those attached go on among themselves");
    }

    [Fact]
    public void A_region_that_is_cut_short_is_refused_and_ends_only_those_who_touch_what_is_gone()
    {
        (Party writer, Party reader) = Pair();
        using (FileStream file = new(RegionFile, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.SetLength(8192); // the header is whole
        }

        Party newcomer = Guest();
        newcomer.IsRefused<ShmRegionFormatException>(
            $"open {_root} x", "has 8192 bytes", "truncated or extended", "delete it and create it anew");
        newcomer.IsRefused<ShmRegionFormatException>($"create-or-open {_root} x", "truncated or extended");
        foreach (Party victim in (Party[])[writer, reader])
        {
            victim.Process.Send(victim == writer ? "write 1 0 100" : "time-out 100");
            int code = victim.Process.WaitForExit();
            Assert.True(code is 128 + Linux.SIGBUS or 128 + Linux.SIGABRT or 128 + Linux.SIGSEGV, $"It ended with code {code}.");
        }

        Assert.Equal("yes", newcomer.Do($"delete {_root} x"));
        newcomer.Do($"create {_root} x");
        Party second = Guest();
        second.Do($"open {_root} x");
        EnvironmentRows.Shown(
            32, "a region's file is truncated by an outsider",
            "newcomers: `ShmRegionFormatException`; who is attached and touches what is gone: SIGBUS, the one way to end it from outside");
    }

    [Fact]
    public void A_region_whose_mode_is_taken_away_is_refused_and_serves_those_who_have_it()
    {
        (Party writer, Party reader) = Pair();
        File.SetUnixFileMode(RegionFile, 0);
        Passes(writer, reader);
        Party newcomer = Guest();
        foreach (string way in (string[])["open", "create-or-open", "delete"])
        {
            newcomer.IsRefused<UnauthorizedAccessException>($"{way} {_root} x", RegionFile, "EACCES", "check owner and mode");
        }

        Passes(writer, reader);
        File.SetUnixFileMode(RegionFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        newcomer.Do($"open {_root} x");
        Assert.Equal("1 1", newcomer.Do("counts"));
        EnvironmentRows.Shown(33, "`chmod 000` of a region's file", "`UnauthorizedAccessException` of newcomers; those attached go on");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_directory_of_regions_that_goes_away_leaves_those_who_have_them_alone(bool isRemoved)
    {
        (Party writer, Party reader) = Pair();
        if (isRemoved)
        {
            Directory.Delete(_root, recursive: true);
        }
        else
        {
            Directory.Move(_root, _scratch.FileOf("elsewhere"));
        }

        Passes(writer, reader);
        Party newcomer = Guest();
        newcomer.IsRefused<ShmRegionNotFoundException>($"open {_root} x", RegionFile, "CreateOrOpen");
        Assert.Equal("no", newcomer.Do($"exists {_root} x"));
        Assert.Equal("no", newcomer.Do($"delete {_root} x"));
        newcomer.Do($"create-or-open {_root} x");
        Assert.Equal("0 0", newcomer.Do("counts"));
        Passes(writer, reader);
        if (!isRemoved)
        {
            Party finder = Guest();
            finder.Do($"open {_scratch.FileOf("elsewhere")} x");
            Assert.Equal("1 1", finder.Do("counts"));
        }

        EnvironmentRows.Shown(
            34, "the directory of regions is removed or renamed",
            "those attached go on; whoever comes later makes a new directory and a new region");
    }

    [Theory]
    [InlineData("0500", "create y: refused; open x: works; delete x: refused")]
    [InlineData("0600", "create y: refused; open x: refused; delete x: refused")]
    [InlineData("0300", "create y: refused; open x: refused; delete x: refused")]
    [InlineData("0000", "create y: refused; open x: refused; delete x: refused")]
    public void A_directory_of_regions_that_lacks_a_permission_says_so(string mode, string expected)
    {
        (Party writer, Party reader) = Pair();
        Party newcomer = Guest();
        File.SetUnixFileMode(_root, (UnixFileMode)Convert.ToInt32(mode, 8));
        foreach (string outcome in expected.Split("; "))
        {
            string[] parts = outcome.Split(": ");
            string[] words = parts[0].Split(' ');
            string command = $"{words[0]} {_root} {words[1]}";
            if (parts[1] == "works")
            {
                newcomer.Do(command);
            }
            else
            {
                newcomer.IsRefused<UnauthorizedAccessException>(command, "EACCES", "check owner and mode", _root);
            }
        }

        Passes(writer, reader);
        File.SetUnixFileMode(_root, Mine);
        newcomer.Do($"create {_root} y");
        Assert.Equal("yes", newcomer.Do($"delete {_root} x"));
        EnvironmentRows.Shown(
            35, "the directory of regions may not be written, searched or read",
            "`UnauthorizedAccessException` (EACCES) of whoever needs that; where it may not be written, opening works");
    }

    [Fact]
    public void A_directory_above_that_may_not_be_searched_says_so()
    {
        (Party writer, Party reader) = Pair();
        File.SetUnixFileMode(_scratch.Path, UnixFileMode.UserRead);
        try
        {
            Party newcomer = Guest();
            foreach (string way in (string[])["open", "create", "create-or-open", "exists", "delete"])
            {
                newcomer.IsRefused<UnauthorizedAccessException>($"{way} {_root} x", _root, "EACCES", "check owner and mode");
            }

            Passes(writer, reader);
        }
        finally
        {
            File.SetUnixFileMode(_scratch.Path, Mine);
        }

        EnvironmentRows.Shown(
            36, "a directory above may not be searched",
            "`UnauthorizedAccessException` (EACCES), and not \"there is none\"");
    }

    [Theory]
    [InlineData("0777")]
    [InlineData("1777")]
    public void A_directory_of_regions_that_everybody_may_write_is_refused(string mode)
    {
        (Party writer, Party reader) = Pair();
        File.SetUnixFileMode(_root, (UnixFileMode)Convert.ToInt32(mode, 8));
        Party newcomer = Guest();
        foreach (string way in (string[])["open", "create", "create-or-open", "delete"])
        {
            newcomer.IsRefused<UnauthorizedAccessException>(
                $"{way} {_root} x", $"has mode {mode}", "others could replace regions", "0700", "2770");
        }

        Passes(writer, reader);
        EnvironmentRows.Shown(
            37, "the directory of regions may be written by everybody, with or without the sticky bit",
            "`UnauthorizedAccessException` with the mode and the right ones");
    }

    [Theory]
    [InlineData("file", "not a directory")]
    [InlineData("link", "symbolic link")]
    public void A_directory_of_regions_that_is_something_else_is_refused(string what, string said)
    {
        if (what == "file")
        {
            File.WriteAllText(_root, "");
        }
        else
        {
            Directory.CreateDirectory(_scratch.FileOf("real"), Mine);
            Directory.CreateSymbolicLink(_root, _scratch.FileOf("real"));
        }

        Party newcomer = Guest();
        foreach (string way in (string[])["open", "create", "create-or-open"])
        {
            newcomer.IsRefused<ShmException>($"{way} {_root} x", _root, said);
        }

        File.Delete(_root);
        newcomer.Do($"create {_root} x");
        EnvironmentRows.Shown(38, "the directory of regions is a file or a symbolic link", "`ShmException` (ENOTDIR) that says so");
    }

    public void Dispose()
    {
        _parties.ForEach(party => party.Dispose());
        _scratch.Dispose();
    }

    private Party Guest()
    {
        Party guest = new(Users.Ordinary());
        _parties.Add(guest);
        return guest;
    }

    private (Party Writer, Party Reader) Pair()
    {
        (Party writer, Party reader) = (Guest(), Guest());
        writer.Do($"create {_root} x");
        reader.Do($"open {_root} x");
        reader.Do("consume");
        writer.Do("produce");
        Passes(writer, reader);
        return (writer, reader);
    }

    /// <summary>More messages than the lane has room for at once.</summary>
    private void Passes(Party writer, Party reader)
    {
        for (int i = 0; i < 3; i++)
        {
            writer.Do($"write 1 {_number} 20");
            reader.Do($"read 1 {_number} 20");
            _number += 20;
        }
    }
}
