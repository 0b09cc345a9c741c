// Participants that run as different users.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class UserTests
{
    private const UnixFileMode Shared = (UnixFileMode)0x5F8; // 2770
    private const UnixFileMode Sticky = (UnixFileMode)0x7F8; // 3770

    [Fact]
    public void Users_of_a_group_share_a_channel_notice_deaths_and_keep_others_out()
    {
        Users.RequireRoot();
        using ScratchRoot scratch = new();
        string root = SharedRoot(scratch, Shared);
        using Party first = new(Party.As(Users.First, Users.Group));
        using Party second = new(Party.As(Users.Second, Users.Group));
        using Party stranger = new(Party.As(Users.Third, Users.Third));
        first.Do($"create {root} x");
        first.Do("produce");
        second.Do($"open {root} x");
        second.Do("consume group");
        first.Do("consume group");
        first.Do("write 1 0 20");
        second.Do("read 1 0 20");
        foreach (string command in (string[])["open", "create", "create-or-open", "exists", "delete"])
        {
            stranger.IsRefused<UnauthorizedAccessException>($"{command} {root} x", root, "EACCES", "check owner and mode");
        }

        second.Process.Kill();
        first.Do("write 1 20 20");
        first.Do("read 1 19 21"); // the stand-by takes over from another user's process
        Assert.Equal("1 1", first.Do("counts"));

        using Party third = new(Party.As(Users.Second, Users.Group));
        third.Do($"open {root} x");
        third.Do("consume");
        first.Process.Kill();
        Assert.Equal("0", third.Do("produce")); // another user's lane
        third.Do("write 2 0 20");
        third.Do("read 1 0 40");
        third.Do("read 2 0 20");
        Assert.Equal("yes", third.Do($"delete {root} x"));
        EnvironmentRows.Shown(
            70, "participants run as different users, in a root of mode 2770",
            "nothing for members of the group; `UnauthorizedAccessException` for others");
    }

    [Fact]
    public void A_member_who_may_not_delete_deletes_not_even_half()
    {
        Users.RequireRoot();
        using ScratchRoot scratch = new();
        string root = SharedRoot(scratch, Sticky);
        using Party first = new(Party.As(Users.First, Users.Group));
        using Party second = new(Party.As(Users.Second, Users.Group));
        second.Do($"create {root} y");
        second.Do("close");
        first.Do($"create {root} x");
        first.Do("produce");
        second.Do($"open {root} x");
        second.Do("consume");
        second.IsRefused<UnauthorizedAccessException>($"delete {root} x", $"belongs to user {Users.First}", "sticky bit", "2770");
        first.Do("write 1 0 20");
        second.Do("read 1 0 20");
        Assert.Equal("yes", second.Do($"delete {root} y"));
        Assert.Equal("yes", first.Do($"delete {root} x"));
        EnvironmentRows.Shown(
            71, "the directory has the sticky bit, and another member deletes", "`UnauthorizedAccessException`; the region is not touched");
    }

    [Fact]
    public void A_process_that_hides_from_debuggers_takes_part()
    {
        using ScratchRoot scratch = new();
        Users.Open(scratch.Path);
        using Party hidden = new([("dumpable", 0), .. Users.Ordinary()]);
        using Party other = new(Users.Ordinary());
        string root = scratch.FileOf("root");
        hidden.Do($"create {root} x");
        hidden.Do("produce");
        other.Do($"open {root} x");
        other.Do("consume");
        hidden.Do("write 1 0 20");
        other.Do("read 1 0 20");
        hidden.Process.Kill();
        Assert.Equal("0 1", other.Do("counts"));
        EnvironmentRows.Shown(72, "a participant is not dumpable (it changed its user, or hides from debuggers)", "nothing");
    }

    private static string SharedRoot(ScratchRoot scratch, UnixFileMode mode)
    {
        Users.Open(scratch.Path);
        string root = scratch.FileOf("root");
        Directory.CreateDirectory(root);
        Linux.ChangeOwner(root, Environment.IsPrivilegedProcess ? 0 : Users.First, Users.Group);
        File.SetUnixFileMode(root, mode);
        return root;
    }
}
