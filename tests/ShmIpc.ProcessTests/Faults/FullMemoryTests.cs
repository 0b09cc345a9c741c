// Shared memory that is full, at every allocation: in a small tmpfs of a mount namespace, page by page.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class FullMemoryTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void A_channel_in_a_tmpfs_of_any_number_of_pages_works_wholly_or_is_refused_wholly()
    {
        int[] figures = Run("full-channel");
        _output.WriteLine($"{figures[0]} sizes: {figures[1]} refused the channel, {figures[2]} some producer or none");
        Assert.True(figures[1] > 5 && figures[2] > 3, "Both refusals were seen.");
        EnvironmentRows.Shown(
            10, "`/dev/shm` has no room: for a channel, for a producer's lane",
            "`ShmNoSpaceException` with the sizes, of whoever creates or joins; what fits works to its last byte: no SIGBUS comes later");
    }

    [Fact]
    public void A_shared_value_in_a_tmpfs_of_any_number_of_pages_works_wholly_or_is_refused_wholly()
    {
        Assert.True(Run("full-value")[0] > 5);
        EnvironmentRows.Shown(11, "`/dev/shm` has no room for a shared value", "`ShmNoSpaceException` with the sizes; nothing is left");
    }

    [Fact]
    public void A_creator_that_loses_the_race_for_the_last_page_leaves_nothing()
    {
        Campaign campaign = new(_output);
        int[] figures = Run("full-race", ("seed", campaign.Seed), ("rounds", Campaign.Rounds(500)));
        _output.WriteLine($"{figures[0]} channels made, {figures[1]} refused");
        EnvironmentRows.Shown(
            12, "the room is gone between the look and the grasp", "`ShmNoSpaceException`; the half that was taken is given back");
    }

    [Fact]
    public void A_full_tmpfs_holds_up_nothing_that_had_its_room_before()
    {
        Run("full-rest");
        EnvironmentRows.Shown(
            13, "`/dev/shm` is full to the last page", "attaching, taking over a lane, joining groups, messages and deleting go on");
    }

    [Fact]
    public void A_tmpfs_without_files_left_says_so()
    {
        Run("full-inodes");
        EnvironmentRows.Shown(
            14, "the file system has no files (inodes) left",
            "`ShmNoSpaceException` that says that it is files that lack");
    }

    [Fact]
    public void A_file_system_that_became_read_only_says_so_and_works_again_afterwards()
    {
        Run("read-only-memory");
        EnvironmentRows.Shown(
            15, "the file system is read-only", "`ShmException` (EROFS) of create, open and delete: who reads writes its place, too");
    }

    [Fact]
    public void The_defaults_fit_into_the_shared_memory_of_a_container()
    {
        Run("small-memory");
        EnvironmentRows.Shown(
            16, "64 MB of `/dev/shm`, as in a container",
            "a channel with every default and all of its 16 producers fits");
    }

    private static int[] Run(string role, params IEnumerable<(string Key, object Value)> arguments)
    {
        using ScratchRoot root = new();
        using ChildProcess child = ChildProcess.Start(role, [("root", root.Path), .. Isolation.Mounts, .. arguments]);
        int[] figures = [.. child.Expect("done").Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        child.ExpectEnd();
        Assert.Empty(Directory.GetFileSystemEntries(root.Path));
        return figures;
    }
}
