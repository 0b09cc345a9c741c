// Workers as real processes, however they are started: what they get, how they end, and that nothing of them is left.

using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Regions;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests;

public sealed class WorkerLaunchTests(ITestOutputHelper output)
{
    private static readonly Func<WorkerLaunch, int>[] _harmless =
    [
        Bodies.Collect, Bodies.Exceptions, Bodies.Threads, Bodies.Tasks, Bodies.Generate, Bodies.OwnChannel, Bodies.StartProgram,
    ];

    public static TheoryData<WorkerStartMode> Modes => [WorkerStartMode.Spawn, WorkerStartMode.ForkServer];

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_worker_gets_its_launch_and_its_lines_arrive(WorkerStartMode mode)
    {
        await using TestLauncher test = await CreateAsync(mode, Bodies.Preload);
        WorkerLaunch launch = TestLauncher.Launch(Bodies.Speak, index: 3, settings: ("word", "a \"b\"\n")) with { Incarnation = 2 };
        Assert.Equal(new WorkerExit(0, null), await test.RunAsync(launch with { Settings = new Dictionary<string, string> { ["word"] = "ö" } }));
        string preloaded = mode == WorkerStartMode.Spawn ? "nothing" : "something";
        Assert.Equal([$"3 2 region ö {preloaded}", "no end"], test.Lines(3));
        Assert.Equal(["ä complaint"], test.Lines(3, isError: true));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Exit_codes_and_signals_are_told_apart(WorkerStartMode mode)
    {
        await using TestLauncher test = await CreateAsync(mode);
        Assert.Equal(new WorkerExit(0, null), await test.RunAsync(TestLauncher.Launch(Bodies.Return, settings: ("code", "0"))));
        Assert.Equal(new WorkerExit(42, null), await test.RunAsync(TestLauncher.Launch(Bodies.Return, settings: ("code", "42"))));
        foreach (int signal in (int[])[Linux.SIGKILL, 15, 2])
        {
            using WorkerProcess worker = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep));
            Assert.False(worker.Exited.IsCompleted);
            Assert.True(Directory.Exists($"/proc/{worker.ProcessId}"));
            worker.Signal(signal);
            WorkerExit exit = await worker.Exited.WaitAsync(ChildProcess.Patience);
            Assert.Contains(exit, (WorkerExit[])[new(null, signal), new(128 + signal, null)]); // the runtime's own handler exits with a code
            Assert.False(Directory.Exists($"/proc/{worker.ProcessId}"));
            worker.Signal(signal); // nobody
        }

        using WorkerProcess spinning = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Spin));
        spinning.Signal(Linux.SIGKILL);
        Assert.Equal(new WorkerExit(null, Linux.SIGKILL), await spinning.Exited.WaitAsync(ChildProcess.Patience));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_worker_may_handle_SIGTERM_itself(WorkerStartMode mode)
    {
        await using TestLauncher test = await CreateAsync(mode);
        using WorkerProcess worker = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Terminated));
        worker.Signal(15);
        Assert.Equal(new WorkerExit(5, null), await worker.Exited.WaitAsync(ChildProcess.Patience));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_crash_is_the_worker_s_alone(WorkerStartMode mode)
    {
        await using TestLauncher test = await CreateAsync(mode);
        using WorkerProcess bystander = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep, index: 9));
        foreach (Func<WorkerLaunch, int> body in (Func<WorkerLaunch, int>[])[Bodies.Throw, Bodies.FailFast])
        {
            Assert.Equal(new WorkerExit(null, Linux.SIGABRT), await test.RunAsync(TestLauncher.Launch(body, index: 1)));
        }

        Assert.Contains(test.Lines(1, isError: true), line => line.Contains("worker 1 has had enough", StringComparison.Ordinal));
        Assert.Contains(test.Lines(1, isError: true), line => line.Contains("worker 1 fails", StringComparison.Ordinal));
        Assert.False(bystander.Exited.IsCompleted);
        Assert.Equal(new WorkerExit(0, null), await test.RunAsync(TestLauncher.Launch(Bodies.Return, settings: ("code", "0"))));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Workers_talk_through_channels_in_memory_without_a_name(WorkerStartMode mode)
    {
        const int Questions = 1_000;
        await using TestLauncher test = await CreateAsync(mode);
        using SafeFileHandle questionMemory = RegionFile.NewMemory("region");
        using SafeFileHandle answerMemory = RegionFile.NewMemory("answers");
        ShmChannelOptions options = new() { LaneCapacityBytes = 16 * 1024, MaxProducers = 4 };
        using ShmByteChannel questions = ShmByteChannel.Create("region", options with
        {
            Memory = questionMemory,
            RequiredGroups = [new RequiredGroup { Name = "workers", Kind = GroupKind.Shared }],
        });
        using ShmByteChannel answers = ShmByteChannel.Create("answers", options with { Memory = answerMemory });
        using ByteConsumer consumer = answers.CreateConsumer();
        using ByteProducer producer = questions.CreateProducer();
        WorkerProcess[] workers = new WorkerProcess[3];
        for (int i = 0; i < workers.Length; i++)
        {
            workers[i] = await test.StartAsync(TestLauncher.Launch(Bodies.Answer, i, questionMemory, [answerMemory]));
        }

        HashSet<string> heard = [];
        for (int i = 0; i < Questions; i++)
        {
            producer.Write(Encoding.UTF8.GetBytes($"{i}"));
            while (consumer.TryRead(out ShmRecord record))
            {
                Assert.True(heard.Add(Encoding.UTF8.GetString(record.Payload)));
            }
        }

        while (heard.Count < Questions && consumer.WaitToRead(ChildProcess.Patience) && consumer.TryRead(out ShmRecord record))
        {
            Assert.True(heard.Add(Encoding.UTF8.GetString(record.Payload)));
        }

        Assert.Equal(Enumerable.Range(0, Questions).Select(number => $"{number}!").Order(), heard.Order());
        Array.ForEach(workers, _ => producer.Write("end"u8));
        foreach (WorkerProcess worker in workers)
        {
            Assert.Equal(new WorkerExit(0, null), await worker.Exited.WaitAsync(ChildProcess.Patience));
            worker.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_worker_inherits_nothing_but_what_it_is_given(WorkerStartMode mode)
    {
        string path = Path.Combine(Path.GetTempPath(), $"shmipc-inheritable-{Environment.ProcessId}");
        using SafeFileHandle inheritable = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, options: FileOptions.DeleteOnClose);
        Linux.MakeInheritable(inheritable);
        using SafeFileHandle region = RegionFile.NewMemory("given");
        using SafeFileHandle more = RegionFile.NewMemory("too");
        await using TestLauncher test = await CreateAsync(mode);
        using WorkerProcess worker = await test.StartAsync(TestLauncher.Launch(Bodies.Facts, region: region, more: [more]));
        Assert.Equal(new WorkerExit(0, null), await worker.Exited.WaitAsync(ChildProcess.Patience));
        List<string> lines = test.Lines(0);
        Assert.Contains($"id {worker.ProcessId}", lines);
        string[] files = [.. lines.Where(line => line.StartsWith("file ", StringComparison.Ordinal)).Select(line => line["file ".Length..])];
        Assert.Contains("stdin /dev/null", lines);
        Assert.Contains("handles True 1", lines);
        Assert.Contains(lines, line => line.EndsWith("/memfd:shmipc-given (deleted)", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.EndsWith("/memfd:shmipc-too (deleted)", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains(path, StringComparison.Ordinal));
        // Pipes and sockets have numbers. The worker's stdout and stderr are closed here by now, and a fork server's control is its own.
        // The runtime keeps copies of what it had as stdin, stdout and stderr when it started: in a forked worker, the server's.
        int parent = int.Parse(lines.Single(line => line.StartsWith("parent ", StringComparison.Ordinal))["parent ".Length..]);
        List<string> own = Linux.OpenFiles(Environment.ProcessId);
        string[] allowed = [];
        if (mode == WorkerStartMode.ForkServer)
        {
            string control = new FileInfo($"/proc/{parent}/fd/3").LinkTarget!;
            Assert.StartsWith("socket:", control, StringComparison.Ordinal);
            Assert.DoesNotContain(control, files);
            Assert.DoesNotContain(Linux.OpenFiles(parent), file => file.Contains("shmipc", StringComparison.Ordinal)); // it has let go of what it passed on
            allowed = [.. ((int[])[1, 2]).Select(number => new FileInfo($"/proc/{parent}/fd/{number}").LinkTarget!)];
        }

        Assert.Empty(own.Where(file => file.Contains(":[", StringComparison.Ordinal)).Intersect(files).Except(allowed));
        Assert.Contains("variable SHMIPC_WORKER unset", lines);
        Assert.Contains("variable SHMIPC_FORK_SERVER unset", lines);
        Assert.Contains($"variable DOTNET_TieredCompilation {Environment.GetEnvironmentVariable("DOTNET_TieredCompilation") ?? "unset"}", lines);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Workers_share_memory_by_name_and_are_told_which_they_cannot_have(WorkerStartMode mode)
    {
        await using TestLauncher test = await CreateAsync(mode);
        using SharedRegion numbers = SharedRegion.Create("numbers", 100);
        using SharedRegion anonymous = SharedRegion.CreateAnonymous("anonymous", 100);
        using SharedRegion suited = SharedRegion.Create("suited", 100, mode);
        Assert.False(suited.IsAnonymous);
        numbers.Mapping.Write(0, 42);
        Assert.Throws<ShmRegionExistsException>(() => SharedRegion.Create("numbers", 100));
        Assert.Same(numbers, SharedRegion.Open("numbers"));
        for (int index = 0; index < 2; index++)
        {
            WorkerLaunch launch = TestLauncher.Launch(Bodies.Share, index, settings: ("regions", "numbers anonymous none"));
            Assert.Equal(new WorkerExit(0, null), await test.RunAsync(launch));
            Assert.Equal(100 + index, numbers.Mapping.Read<int>(8 * (1 + index)));
            List<string> lines = test.Lines(index);
            Assert.Equal("numbers False 42", lines[0]);
            Assert.Contains("StartMode = Fork", lines[1], StringComparison.Ordinal);
            Assert.Contains("There is no shared region none", lines[2], StringComparison.Ordinal);
        }

        using FileStream file = new(numbers.Memory!, FileAccess.ReadWrite);
        Assert.ThrowsAny<Exception>(() => file.SetLength(4096));
    }

    [Fact]
    public Task Forks_from_a_fork_server_all_run() => Run(WorkerStartMode.ForkServer, Campaign.IsLong ? 2_000 : 50);

    [Fact]
    public Task Spawned_programs_all_run() => Run(WorkerStartMode.Spawn, Campaign.IsLong ? 500 : 20);

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Nothing_is_left_when_the_launcher_is_disposed(WorkerStartMode mode)
    {
        await Once(); // what is made on first use
        int[] children = [.. Linux.Children()];
        string[] files = PoolLeftovers.Descriptors();
        for (int i = 0; i < 3; i++)
        {
            await Once();
        }

        Eventually.True(
            () => PoolLeftovers.Descriptors().Length <= files.Length,
            () => $"the descriptors are those from before, {string.Join(", ", files)}, and not {string.Join(", ", PoolLeftovers.Descriptors())}");
        Eventually.True(
            () => children.SequenceEqual(Linux.Children()),
            () => $"the children are those from before, {string.Join(", ", children)}, and not {string.Join(", ", Linux.Children())}");
        Eventually.True(
            () => Directory.GetDirectories("/proc/self/task").All(task => Linux.ThreadName(task) != "ShmIpc workers"),
            "no thread of a launcher is left");

        async Task Once()
        {
            TestLauncher test = await CreateAsync(mode);
            using WorkerProcess ended = await test.StartAsync(TestLauncher.Launch(Bodies.Return, settings: ("code", "0")));
            await ended.Exited.WaitAsync(ChildProcess.Patience);
            using WorkerProcess left = await test.StartReadyAsync(TestLauncher.Launch(Bodies.Sleep));
            await test.DisposeAsync().AsTask().WaitAsync(ChildProcess.Patience);
            await test.DisposeAsync(); // once more is fine
            Assert.Equal(new WorkerExit(null, Linux.SIGKILL), await left.Exited.WaitAsync(ChildProcess.Patience));
            Assert.False(Directory.Exists($"/proc/{left.ProcessId}"));
        }
    }

    private static async Task<TestLauncher> CreateAsync(WorkerStartMode mode, Action? preload = null)
    {
        TestLauncher test = await TestLauncher.CreateAsync(mode, preload);
        Assert.Null(test.Launcher.FallbackReason);
        Assert.Equal(mode, test.Launcher.Mode);
        return test;
    }

    private async Task Run(WorkerStartMode mode, int rounds)
    {
        await using TestLauncher test = await CreateAsync(mode);
        for (int i = 0; i < rounds; i++)
        {
            Func<WorkerLaunch, int> body = _harmless[i % _harmless.Length];
            WorkerLaunch launch = TestLauncher.Launch(body, index: i % 4);
            WorkerExit exit;
            try
            {
                exit = await test.RunAsync(launch);
            }
            catch (TimeoutException)
            {
                output.WriteLine($"Round {i}, {body.Method.Name}, hangs.");
                throw;
            }

            Assert.True(
                exit == new WorkerExit(0, null),
                $"Round {i}, {body.Method.Name}: {exit}\n{string.Join('\n', test.Lines(launch.Index, isError: true))}");
        }
    }
}
