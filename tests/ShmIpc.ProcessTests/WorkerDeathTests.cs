// Whoever dies takes with him whom he has to: a pool its fork server, a fork server its workers, a worker nobody. And the launcher is told.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests;

public sealed class WorkerDeathTests
{
    private static readonly (string, object)[] _forkable =
    [
        ("DOTNET_EnableWriteXorExecute", 0), ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0), ("DOTNET_gcServer", 0),
    ];

    public static TheoryData<WorkerStartMode> AllModes => [WorkerStartMode.Spawn, WorkerStartMode.ForkServer, WorkerStartMode.Fork];

    [Theory]
    [MemberData(nameof(AllModes))]
    public void Nobody_survives_the_pool_s_process(WorkerStartMode mode)
    {
        using ChildProcess pool = StartPool(mode);
        List<int> family = [];
        for (int i = 0; i < 3; i++)
        {
            family.Add(StartWorker(pool, "sleep", i));
            pool.Expect("line");
        }

        int server = Linux.ParentOf(family[0]);
        Assert.Equal(mode == WorkerStartMode.Spawn, server == pool.Id);
        if (server != pool.Id)
        {
            Assert.Equal(pool.Id, Linux.ParentOf(server));
            family.Add(server);
        }

        pool.Kill();
        Eventually.True(() => family.All(id => !Linux.IsRunning(id)), $"processes {string.Join(", ", family)} end with {pool.Id}");
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public void A_disposed_launcher_leaves_nobody(WorkerStartMode mode)
    {
        using ChildProcess pool = StartPool(mode);
        int worker = StartWorker(pool, "sleep", 0);
        pool.Expect("line");
        int server = Linux.ParentOf(worker);
        pool.Send("end");
        List<string> said = [pool.Next(), pool.Next()];
        Assert.Contains("ended 0  9", said);
        Assert.Contains("disposed", said);
        pool.ExpectEnd();
        Assert.False(Linux.IsRunning(worker));
        Assert.False(server != pool.Id && Linux.IsRunning(server));
    }

    [Fact]
    public async Task The_workers_end_with_their_fork_server_and_the_next_one_gets_a_new_server()
    {
        await using TestLauncher test = await TestLauncher.CreateAsync(WorkerStartMode.ForkServer);
        using WorkerProcess first = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep));
        using WorkerProcess second = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep, index: 1));
        int server = Linux.ParentOf(first.ProcessId);
        Linux.Signal(server, Linux.SIGKILL);
        Assert.Equal(default, await first.Exited.WaitAsync(ChildProcess.Patience)); // who could have said how is dead
        Assert.Equal(default, await second.Exited.WaitAsync(ChildProcess.Patience));
        Assert.False(Linux.IsRunning(first.ProcessId));

        using WorkerProcess third = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep, index: 2));
        Assert.NotEqual(server, Linux.ParentOf(third.ProcessId));
        Assert.Equal(Environment.ProcessId, Linux.ParentOf(Linux.ParentOf(third.ProcessId)));
        Assert.Equal(new WorkerExit(7, null), await test.RunAsync(TestLauncher.Launch(Bodies.Return, settings: ("code", "7"))));
    }

    [Fact]
    public async Task A_stopped_fork_server_hides_no_death_and_holds_up_no_end()
    {
        TestLauncher test = await TestLauncher.CreateAsync(WorkerStartMode.ForkServer);
        using WorkerProcess worker = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep));
        int server = Linux.ParentOf(worker.ProcessId);
        Linux.Signal(server, Linux.SIGSTOP);
        worker.Signal(Linux.SIGKILL);
        Assert.Equal(default, await worker.Exited.WaitAsync(ChildProcess.Patience));
        await test.DisposeAsync().AsTask().WaitAsync(ChildProcess.Patience);
        Assert.False(Linux.IsRunning(server));
    }

    [Fact]
    public async Task A_fork_server_at_a_limit_says_so_and_goes_on()
    {
        await using TestLauncher test = await TestLauncher.CreateAsync(WorkerStartMode.ForkServer);
        using WorkerProcess worker = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep));
        int server = Linux.ParentOf(worker.ProcessId);
        Eventually.True(() => Linux.ThreadStates(server).All(state => state == 'S'), "the server has put away what it passed on, and waits");
        int open = Linux.OpenFiles(server).Count;
        for (int more = 0; more < 3; more++) // stdout, stderr and the worker's pidfd
        {
            Limit($"--nofile={open + more}:");
            ShmException refused = await Assert.ThrowsAsync<ShmException>(() => test.StartAsync(TestLauncher.Launch(Bodies.Sleep, index: 1)));
            Assert.Contains("RLIMIT_NOFILE", refused.Message, StringComparison.Ordinal);
            Assert.Equal([worker.ProcessId], ChildrenOf(server));
        }

        Limit("--nofile=1000:");
        Assert.Equal(new WorkerExit(7, null), await test.RunAsync(TestLauncher.Launch(Bodies.Return, index: 2, settings: ("code", "7"))));
        Assert.False(worker.Exited.IsCompleted);
        Assert.Equal(server, Linux.ParentOf(worker.ProcessId));

        void Limit(string option)
        {
            using System.Diagnostics.Process prlimit = System.Diagnostics.Process.Start("prlimit", ["--pid", $"{server}", option]);
            Assert.True(prlimit.WaitForExit(ChildProcess.Patience) && prlimit.ExitCode == 0);
        }
    }

    [Fact]
    public async Task A_launch_that_is_too_long_is_refused()
    {
        (string, string) large = ("text", new string('x', 200_000));
        foreach (WorkerStartMode mode in (WorkerStartMode[])[WorkerStartMode.Spawn, WorkerStartMode.ForkServer])
        {
            await using TestLauncher test = await TestLauncher.CreateAsync(mode);
            ShmException refused = await Assert.ThrowsAsync<ShmException>(() => test.StartAsync(TestLauncher.Launch(Bodies.Sleep, settings: large)));
            Assert.Contains("region", refused.Message, StringComparison.Ordinal);
            Assert.Equal(
                new WorkerExit(7, null), await test.RunAsync(TestLauncher.Launch(Bodies.Return, settings: ("code", "7"))));
        }
    }

    [Fact]
    public void A_process_that_forks_itself_gives_its_workers_what_it_had_and_may_have_threads_afterwards()
    {
        using ChildProcess pool = StartPool(WorkerStartMode.Fork);
        _ = StartWorker(pool, "speak", 0);
        List<string> said = [pool.Next(), pool.Next(), pool.Next(), pool.Next()];
        Assert.Contains("line 0 0 0 region word before the fork", said);
        Assert.Contains("ended 0 0 ", said);
        pool.Send("share"); // is worker 1
        pool.Expect("worker");
        string[] shared = [pool.Next(), pool.Next(), pool.Next()];
        Assert.Contains("line 1 anonymous True 42", shared);
        Assert.Contains("line 1 numbers False 43", shared);
        Assert.Contains("ended 1 0 ", shared);
        pool.Send("look");
        Assert.Equal(["101", "101"], pool.Expect("shared"));
        for (int i = 2; i <= 20; i++)
        {
            _ = StartWorker(pool, "collect", i);
            Assert.Equal([$"{i}", "0", ""], pool.Expect("ended"));
        }

        _ = StartWorker(pool, "return", 21);
        Assert.Equal(["21", "7", ""], pool.Expect("ended"));
        int asleep = StartWorker(pool, "sleep", 22);
        pool.Expect("line");
        Linux.Signal(Linux.ParentOf(asleep), Linux.SIGKILL);
        Assert.Equal(["22", "", ""], pool.Expect("ended"));
        pool.Send("return"); // nobody is there to be forked from
        Assert.Contains("cannot be forked", string.Join(' ', pool.Expect("refused")), StringComparison.Ordinal);
        pool.Send("end");
        pool.Expect("disposed");
        pool.ExpectEnd();
    }

    [Fact]
    public void A_process_that_cannot_be_forked_is_told_why()
    {
        using ChildProcess pool = ChildProcess.Start("pool", ("mode", WorkerStartMode.Fork));
        string[] refused = pool.Expect("refused");
        string message = string.Join(' ', refused);
        foreach (string cure in (string[])["DOTNET_EnableWriteXorExecute=0", "DOTNET_gcConcurrent=0", "DOTNET_TieredCompilation=0"])
        {
            Assert.Contains(cure, message, StringComparison.Ordinal);
        }

        pool.ExpectEnd();
    }

    [Fact]
    public async Task A_preload_that_leaves_a_thread_or_fails_falls_back_to_spawning()
    {
        await using TestLauncher withThread = await TestLauncher.CreateAsync(WorkerStartMode.ForkServer, Bodies.PreloadWithThread);
        Assert.Equal(WorkerStartMode.Spawn, withThread.Launcher.Mode);
        Assert.Contains("left over", withThread.Launcher.FallbackReason, StringComparison.Ordinal);
        Assert.Equal(new WorkerExit(3, null), await withThread.RunAsync(TestLauncher.Launch(Bodies.Return, settings: ("code", "3"))));

        await using TestLauncher failed = await TestLauncher.CreateAsync(WorkerStartMode.ForkServer, Bodies.PreloadThatFails);
        Assert.Equal(WorkerStartMode.Spawn, failed.Launcher.Mode);
        Assert.Contains("no data today", failed.Launcher.FallbackReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lambda_cannot_preload()
    {
        string loaded = "";
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(
            () => TestLauncher.CreateAsync(WorkerStartMode.ForkServer, () => loaded = "x"));
        Assert.Contains("static method", refused.Message, StringComparison.Ordinal);
        Assert.Equal("", loaded);
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public void Workers_of_process_one_are_started_and_reaped(WorkerStartMode mode)
    {
        using ChildProcess pool = StartPool(mode, Isolation.ProcessIds);
        for (int i = 0; i < 3; i++)
        {
            _ = StartWorker(pool, "return", i);
            Assert.Equal([$"{i}", "7", ""], pool.Expect("ended"));
        }

        _ = StartWorker(pool, "sleep", 3);
        pool.Expect("line");
        pool.Send("end");
        List<string> said = [pool.Next(), pool.Next()];
        Assert.Contains("ended 3  9", said);
        Assert.Contains("disposed", said);
        pool.ExpectEnd();
    }

    [Theory]
    [MemberData(nameof(AllModes))]
    public void Where_SIGCHLD_is_ignored_the_end_of_a_worker_is_seen_all_the_same(WorkerStartMode mode)
    {
        string[] via = ["sh", "-c", "trap '' CHLD; exec \"$@\"", "sh"];
        using ChildProcess pool = StartPool(mode, (ChildProcess.ViaKey, via));
        for (int i = 0; i < 3; i++)
        {
            _ = StartWorker(pool, "return", i);
            string end = string.Join(' ', pool.Expect("ended"));
            string[] possible = mode == WorkerStartMode.Spawn ? [$"{i}  ", $"{i} 7 "] : [$"{i} 7 "]; // a fork server reaps its workers itself
            Assert.Contains(end, possible);
        }

        pool.Send("end");
        Assert.Equal("disposed", pool.Next());
        pool.ExpectEnd();
    }

    private static List<int> ChildrenOf(int process) =>
    [
        .. Directory.GetDirectories($"/proc/{process}/task").Select(task => File.ReadAllText(Path.Combine(task, "children")))
            .SelectMany(children => children.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse),
    ];

    private static ChildProcess StartPool(WorkerStartMode mode, params (string, object)[] more)
    {
        ChildProcess pool = ChildProcess.Start("pool", [("mode", mode), .. mode == WorkerStartMode.Fork ? _forkable : [], .. more]);
        try
        {
            Assert.Equal($"{mode}", pool.Expect("ready")[0]);
            return pool;
        }
        catch
        {
            pool.Dispose();
            throw;
        }
    }

    private static int StartWorker(ChildProcess pool, string body, int index)
    {
        pool.Send(body);
        string[] words = pool.Expect("worker");
        Assert.Equal($"{index}", words[0]);
        return int.Parse(words[1]);
    }
}
