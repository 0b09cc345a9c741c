// What a pool says of its workers, against what the kernel says; and what the options ask of the machine.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolStatusTests : PoolTest
{
    [Fact]
    public async Task Workers_are_described_as_the_kernel_does()
    {
        WorkerPoolOptions options = Options(2) with { Arguments = new Dictionary<string, string> { ["colour"] = "green" } };
        Stopwatch clock = Stopwatch.StartNew();
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        clock.Stop();
        Assert.Equal("green", await Soon(pool.RunAsync("argument colour", Cancellation)));
        Eventually.True(() => pool.Workers.All(worker => worker.State == WorkerState.Idle), "the job is acknowledged");
        IReadOnlyList<WorkerStatus> workers = pool.Workers;
        Assert.Equal([0, 1], workers.Select(worker => worker.Index));
        Assert.Equal(Linux.Children().Order(), workers.Select(worker => worker.ProcessId!.Value).Order());
        foreach (WorkerStatus worker in workers)
        {
            Assert.Equal((WorkerState.Idle, 0), (worker.State, worker.Restarts));
            Assert.Null(worker.LastExit);
            Assert.Null(worker.MemoryLimitBytes);
            Assert.Empty(worker.Refusals);
            long resident = Field(worker.ProcessId!.Value, "VmRSS:") * 1024;
            Assert.InRange(worker.MemoryBytes!.Value, resident / 20, resident * 2);
            string[] totals = File.ReadAllLines($"/proc/{worker.ProcessId}/smaps_rollup");
            long own = Kibibytes(totals, "Private_Clean:") + Kibibytes(totals, "Private_Dirty:");
            Assert.InRange(worker.PrivateBytes!.Value, own * 1024 / 2, own * 1024 * 2);
            Assert.InRange(worker.ReadyAfter!.Value, TimeSpan.FromTicks(1), clock.Elapsed);
            Assert.Equal(Text(worker.ProcessId.Value, "Cpus_allowed_list:"), worker.Cpus);
        }
    }

    [Fact]
    public async Task Workers_keep_to_their_processors()
    {
        int[] allowed = Allowed();
        WorkerPoolOptions options = Options(2) with { Cpus = [[allowed[0]], [allowed[^1]]] };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        foreach (WorkerStatus worker in pool.Workers)
        {
            string expected = (worker.Index == 0 ? allowed[0] : allowed[^1]).ToString(CultureInfo.InvariantCulture);
            Assert.Equal(expected, worker.Cpus);
            foreach (string thread in Directory.GetDirectories($"/proc/{worker.ProcessId}/task"))
            {
                try
                {
                    Assert.Contains($"Cpus_allowed_list:\t{expected}", File.ReadAllLines($"{thread}/status"));
                }
                catch (IOException)
                {
                    // the thread ended between the listing and the look
                }
            }
        }
    }

    [Fact]
    public async Task Processors_that_there_are_not_are_refused_with_the_reason()
    {
        await using WorkerPool<string, string> pool =
            await WorkerPool.StartAsync<string, string>(PoolBodies.Do, Options(1) with { Cpus = [[1023]] }, Cancellation);
        WorkerStatus worker = Assert.Single(pool.Workers);
        Assert.Contains("1023", Assert.Single(worker.Refusals), StringComparison.Ordinal);
        Assert.Equal(Text(worker.ProcessId!.Value, "Cpus_allowed_list:"), worker.Cpus);
    }

    [Fact]
    public async Task A_worker_keeps_to_its_memory_limit()
    {
        WorkerPoolOptions options = Options(1) with { MemoryLimitBytes = 64 * 1024 * 1024 };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        WorkerStatus worker = Assert.Single(pool.Workers);
        Assert.Equal(64 * 1024 * 1024, worker.MemoryLimitBytes);
        Assert.Equal("20 MiB", await Soon(pool.RunAsync("fill 20", Cancellation)));
        Assert.Equal("out of memory", await Soon(pool.RunAsync("fill 200", Cancellation)));
        Assert.Equal("20 MiB", await Soon(pool.RunAsync("fill 20", Cancellation)));
        Assert.Equal(0, Assert.Single(pool.Workers).Restarts);
    }

    [Fact]
    public async Task The_pool_and_its_workers_share_memory()
    {
        const int Bytes = 100_000;
        using SharedRegion region = SharedRegion.Create("bytes", Bytes);
        await using WorkerPool<int, int> pool = await WorkerPool.StartAsync<int, int>(PoolBodies.DoubleByte, Options(2), Cancellation);
        region.Mapping.Write(Bytes - 1, (byte)3);
        Assert.Equal(3, await Soon(pool.RunAsync(Bytes - 1, Cancellation)));
        Assert.Equal(6, await Soon(pool.RunAsync(Bytes - 1, Cancellation)));
        Assert.Equal(12, region.Mapping.Read<byte>(Bytes - 1));
    }

    [Fact]
    public async Task What_workers_write_comes_with_their_index()
    {
        List<WorkerOutput> lines = [];
        WorkerPoolOptions options = Options(2) with
        {
            OnOutput = line =>
            {
                lock (lines)
                {
                    lines.Add(line);
                }

                throw new InvalidOperationException("a listener that throws does no harm");
            },
        };
        await using (WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation))
        {
            await Soon(Task.WhenAll(Enumerable.Range(0, 10).Select(number => pool.RunAsync($"say {number}", Cancellation))));
        }

        Assert.Equal(
            Enumerable.Range(0, 10).SelectMany(number => new[] { $"False out {number}", $"True err {number}" }).Order(),
            lines.Select(line => $"{line.IsError} {line.Line}").Order());
        Assert.All(lines, line => Assert.InRange(line.Worker, 0, 1));
    }

    [Fact]
    public async Task Who_is_not_ready_yet_has_no_time_for_it()
    {
        WorkerPoolOptions options = Options(1) with { RestartDelay = TimeSpan.FromDays(1), MaxRestartDelay = TimeSpan.FromDays(1) };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
        Assert.NotNull(Assert.Single(pool.Workers).ReadyAfter);
        Linux.Signal(pool.Workers[0].ProcessId!.Value, Linux.SIGKILL);
        Eventually.True(() => pool.Workers[0].State == WorkerState.Restarting, "the death is known");
        WorkerStatus worker = pool.Workers[0];
        Assert.Null(worker.ReadyAfter);
        Assert.Null(worker.PrivateBytes);
    }

    private static long Kibibytes(string[] lines, string field) => long.Parse(
        lines.First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private static int[] Allowed() =>
        [.. Text(Environment.ProcessId, "Cpus_allowed_list:").Split(',').SelectMany(range =>
        {
            int[] ends = [.. range.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
            return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
        })];

    private static string Text(int process, string field) =>
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..].Trim();

    private static long Field(int process, string field) => long.Parse(Text(process, field).Split(' ')[0], CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(WorkerStartMode.Spawn)]
    [InlineData(WorkerStartMode.ForkServer)]
    public async Task Workers_get_as_many_regions_as_a_process_may_make_and_no_more_can_be_made(WorkerStartMode mode)
    {
        List<SharedRegion> regions = [];
        try
        {
            for (int i = 1; i <= SharedRegion.MaxPerProcess; i++)
            {
                regions.Add(SharedRegion.Create($"{i}{new string('x', 190)}", 4));
                regions[^1].Mapping.Write(0, i);
            }

            ShmLimitException error = Assert.Throws<ShmLimitException>(() => SharedRegion.Create("more", 4));
            Assert.Contains($"this process has {SharedRegion.MaxPerProcess}", error.Message, StringComparison.Ordinal);
            Assert.Throws<ShmLimitException>(() => SharedRegion.CreateAnonymous("more", 4));
            WorkerPoolOptions options = Options(1) with { StartMode = mode };
            await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options, Cancellation);
            Assert.Null(pool.FallbackReason);
            string names = string.Join(' ', regions.Select(region => region.Name));
            Assert.Equal($"{regions.Sum(region => region.Mapping.Read<int>(0))}", await Soon(pool.RunAsync($"regions {names}", Cancellation)));
            regions[0].Dispose();
            SharedRegion.Create("more", 4).Dispose();
        }
        finally
        {
            regions.ForEach(region => region.Dispose());
        }
    }
}
