// What a fork server does once, so that its workers need not: it leaves nothing behind, and runs nothing of the program's.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolRehearsalTests(ITestOutputHelper output) : PoolTest
{
    /// <summary>Measured: 6 to 13, and with no rehearsal 250 to 320.</summary>
    private const int MostCompiledAfterFork = 60;

    [Theory]
    [InlineData(WorkerStartMode.ForkServer, "string")]
    [InlineData(WorkerStartMode.ForkServer, "message")]
    [InlineData(WorkerStartMode.Fork, "string")]
    [InlineData(WorkerStartMode.Fork, "message")]
    public void Little_is_compiled_in_a_forked_worker_before_its_body_begins(WorkerStartMode mode, string job)
    {
        int forked = CompiledIn(mode, job);
        int spawned = CompiledIn(WorkerStartMode.Spawn, job);
        output.WriteLine($"{mode}, {job}: {forked} methods, and spawned {spawned}");
        Assert.InRange(forked, 0, MostCompiledAfterFork);
        Assert.True(forked * 5 < spawned);
    }

    [Fact]
    public async Task A_rehearsal_leaves_no_thread_no_memory_and_no_descriptor_in_the_server()
    {
        await using WorkerPool<string, string> pool = await StartAsync(PoolBodies.Do, Options(1));
        int server = ParentOf(pool.Workers[0].ProcessId!.Value);
        Assert.Contains(server, Linux.Children());
        string[] threads = [.. Directory.GetDirectories($"/proc/{server}/task").Select(Linux.ThreadName).Where(name => name.Length > 0)];
        Assert.Empty(threads.Except([Linux.ThreadName($"/proc/{server}/task/{server}"), ".NET SynchManag", ".NET Finalizer"]));
        Assert.DoesNotContain(Linux.OpenFiles(server), file => file.Contains("shmipc", StringComparison.Ordinal));
        Assert.DoesNotContain(File.ReadLines($"/proc/{server}/maps"), line => line.Contains("shmipc", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_body_is_not_run_and_serializers_of_the_program_are_only_made()
    {
        Type counting = typeof(RehearsalBodies.CountingPayload);
        WorkerPoolOptions options = Options(1) with { JobSerializer = counting, ResultSerializer = counting };
        await using WorkerPool<string, string> pool = await StartAsync(RehearsalBodies.Count, options);
        Assert.Equal("1 1 0", await Soon(pool.RunAsync("job", Cancellation)));
        Assert.Equal("2 2 1", await Soon(pool.RunAsync("job", Cancellation)));
    }

    [Fact]
    public async Task The_body_is_not_run_with_the_library_s_serializers_either()
    {
        await using WorkerPool<string, string> pool = await StartAsync(RehearsalBodies.Count, Options(1));
        Assert.Equal("1 0 0", await Soon(pool.RunAsync("job", Cancellation)));
    }

    [Fact]
    public async Task A_plain_body_is_not_run()
    {
        List<WorkerOutput> lines = [];
        WorkerPoolOptions options = Options(2) with { StartMode = WorkerStartMode.ForkServer, OnOutput = lines.Add };
        await using (WorkerPool pool = await WorkerPool.StartAsync(RehearsalBodies.CountPlain, options, Cancellation))
        {
            Assert.SkipWhen(pool.FallbackReason is not null, $"No fork server here: {pool.FallbackReason}");
        }

        Assert.Equal([(0, "call 1"), (1, "call 1")], lines.Select(line => (line.Worker, line.Line)).Order());
    }

    [Fact]
    public async Task A_rehearsal_that_fails_is_told_and_costs_nothing_else()
    {
        List<WorkerOutput> lines = [];
        Type counting = typeof(RehearsalBodies.CountingPayload);
        WorkerPoolOptions options = Options(2) with
        {
            JobSerializer = counting,
            Preload = RehearsalBodies.PreloadThatFailsOnce,
            OnOutput = lines.Add,
        };
        await using (WorkerPool<string, string> pool = await StartAsync(RehearsalBodies.Count, options))
        {
            Assert.Equal("1 1 0", await Soon(pool.RunAsync("job", Cancellation)));
        }

        Assert.All(lines, line => Assert.Equal((-1, true), (line.Worker, line.IsError)));
        Assert.Contains("could not rehearse", lines[0].Line, StringComparison.Ordinal);
        Assert.Contains(lines, line => line.Line.Contains("not in a rehearsal", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_preload_that_writes_a_line_to_the_console_makes_the_pool_spawn()
    {
        WorkerPoolOptions options = Options(1) with { StartMode = WorkerStartMode.ForkServer, Preload = RehearsalBodies.PreloadThatWrites };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Upper, options, Cancellation);
        Assert.Equal(WorkerStartMode.Spawn, pool.StartMode);
        Assert.Contains(".NET SigHandler", pool.FallbackReason, StringComparison.Ordinal);
        Assert.Equal("WORKS", await Soon(pool.RunAsync("works", Cancellation)));
    }

    private static int CompiledIn(WorkerStartMode mode, string job)
    {
        using ChildProcess process = ChildProcess.Start("pool-compiled", ("mode", mode), ("job", job));
        string[] words = process.Expect("compiled");
        Assert.SkipWhen(words[0] != mode.ToString(), $"Workers cannot be started by {mode} here.");
        process.ExpectEnd();
        return int.Parse(words[1], CultureInfo.InvariantCulture);
    }

    private static async Task<WorkerPool<string, string>> StartAsync(Func<string, WorkerContext, string> body, WorkerPoolOptions options)
    {
        WorkerPool<string, string> pool =
            await WorkerPool.StartAsync(body, options with { StartMode = WorkerStartMode.ForkServer }, Cancellation);
        if (pool.FallbackReason is { } reason)
        {
            await pool.DisposeAsync();
            Assert.Skip($"No fork server here: {reason}");
        }

        return pool;
    }

    private static int ParentOf(int process) => int.Parse(
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("PPid:", StringComparison.Ordinal))["PPid:".Length..],
        CultureInfo.InvariantCulture);
}
