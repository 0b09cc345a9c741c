// The limits of a process: descriptors, address space, file size, locked memory, threads; each lowered until nothing works, and raised
// until everything does.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class LimitTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void An_operation_has_descriptors_enough_or_says_how_many_there_may_be()
    {
        using ScratchRoot root = new();
        using ChildProcess child = ChildProcess.Start("few-descriptors", ("root", root.Path));
        string[] needed = child.Expect("done");
        _output.WriteLine($"descriptors that an operation needs: {string.Join(' ', needed)}");
        child.ExpectEnd();
        Assert.Equal(15, needed.Length);
        Assert.DoesNotContain("open=0", needed);
        EnvironmentRows.Shown(
            20, "RLIMIT_NOFILE is reached, at any descriptor",
            "`ShmException` (EMFILE) that names the limit; nothing is left; it works once there are descriptors");
    }

    [Fact]
    public void A_mapping_has_address_space_enough_or_says_what_limits_it()
    {
        using ScratchRoot root = new();
        root.RequireRoom(40 << 20); // large mappings are what it is about
        using ChildProcess child = ChildProcess.Start(
            "few-addresses", ("root", root.Path),
            ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0), ("DOTNET_EnableWriteXorExecute", 0),
            ("DOTNET_GCgen0size", "4000000"));
        string[] needed = child.Expect("done");
        _output.WriteLine($"refusals: {string.Join(' ', needed)}");
        child.ExpectEnd();
        Assert.All(needed, word => Assert.False(word.EndsWith("=0", StringComparison.Ordinal), word));
        EnvironmentRows.Shown(
            21, "RLIMIT_AS is reached, at any large mapping", "`ShmException` (ENOMEM) that names the limit; whoever is attached goes on");
    }

    [Fact]
    public void A_file_may_be_long_enough_or_the_creator_says_what_limits_it()
    {
        using ScratchRoot root = new();
        using ChildProcess child = ChildProcess.Start("short-files", ("root", root.Path));
        Assert.NotEqual("0", child.Expect("done")[0]);
        child.ExpectEnd();
        EnvironmentRows.Shown(22, "RLIMIT_FSIZE is too low for the region", "`ShmException` (EFBIG) of the creator, and no SIGXFSZ");
    }

    [Fact]
    public void Nothing_needs_memory_that_may_be_locked()
    {
        using ScratchRoot root = new();
        Users.Open(root.Path);
        using ChildProcess child = ChildProcess.Start("no-locked-memory", [("root", Path.Combine(root.Path, "own")), .. Users.Ordinary()]);
        child.Expect("done");
        child.ExpectEnd();
        EnvironmentRows.Shown(23, "RLIMIT_MEMLOCK is 0", "nothing: the library locks no memory");
    }

    [Fact]
    public void An_await_that_may_start_no_thread_is_refused_and_a_later_one_works()
    {
        using ScratchRoot root = new();
        Users.Open(root.Path);
        using ChildProcess child = ChildProcess.Start("no-threads", [("root", Path.Combine(root.Path, "own")), .. Users.Ordinary()]);
        child.Expect("done");
        child.ExpectEnd();
        EnvironmentRows.Shown(
            24, "RLIMIT_NPROC is reached at the first `await`",
            "`ShmException` that names the limit; reading and writing go on, a later `await` works");
    }
}
