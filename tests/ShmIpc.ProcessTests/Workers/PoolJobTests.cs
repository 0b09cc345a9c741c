// Jobs of a pool whose workers stay alive: what goes in, what comes out, what is refused.

using System.Diagnostics;
using System.Runtime.CompilerServices;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolJobTests : PoolTest
{
    [Theory]
    [InlineData(WorkerStartMode.Spawn)]
    [InlineData(WorkerStartMode.ForkServer)]
    public async Task Results_come_in_the_order_of_their_jobs(WorkerStartMode mode)
    {
        await using WorkerPool<int, int> pool =
            await WorkerPool.StartAsync<int, int>(PoolBodies.SlowSquare, Options(3) with { StartMode = mode }, Cancellation);
        Assert.SkipWhen(pool.FallbackReason is not null, $"No fork server here: {pool.FallbackReason}");
        Assert.Equal(mode, pool.StartMode);
        List<int> results = [];
        await foreach (int result in pool.RunAsync(Enumerable.Range(0, 300), Cancellation))
        {
            results.Add(result);
        }

        Assert.Equal(Enumerable.Range(0, 300).Select(number => number * number), results);
        Assert.Equal(300, pool.Workers.Sum(worker => worker.JobsDone));

        // On a busy machine one may have got no processor until the others had done everything.
        for (long start = Stopwatch.GetTimestamp(); pool.Workers.Any(IsUnused) && Stopwatch.GetElapsedTime(start) < Patience;)
        {
            Assert.Equal(9, await Soon(pool.RunAsync(3, Cancellation)));
        }

        Assert.DoesNotContain(pool.Workers, worker => IsUnused(worker));

        static bool IsUnused(WorkerStatus worker) => worker.JobsDone == 0;
    }

    [Fact]
    public async Task Each_of_many_single_jobs_gets_its_own_result()
    {
        await using WorkerPool<PoolMessage, PoolMessage> pool =
            await WorkerPool.StartAsync<PoolMessage, PoolMessage>(PoolBodies.Double, Options(2), Cancellation);
        PoolMessage[] results = await Soon(Task.WhenAll(Enumerable.Range(0, 500).Select(
            number => pool.RunAsync(new PoolMessage { Number = number, Text = $"{number}." }, Cancellation))));
        Assert.Equal(
            Enumerable.Range(0, 500).Select(number => (2 * number, $"{number}.{number}.")),
            results.Select(result => (result.Number, result.Text)));
    }

    [Fact]
    public async Task Bytes_and_strings_and_structs_travel_as_they_do_in_channels()
    {
        await using (var pool = await WorkerPool.StartAsync<byte[], byte[]>(PoolBodies.Reverse, Options(1), Cancellation))
        {
            Assert.Equal([3, 2, 1], await Soon(pool.RunAsync(new byte[] { 1, 2, 3 }, Cancellation)));
            Assert.Empty(await Soon(pool.RunAsync(Array.Empty<byte>(), Cancellation)));
        }

        await using (var pool = await WorkerPool.StartAsync<string, string>(PoolBodies.Upper, Options(1), Cancellation))
        {
            Assert.Equal("GRÜN", await Soon(pool.RunAsync("grün", Cancellation)));
        }

        Type pairs = typeof(BlittablePayload<Pair>);
        WorkerPoolOptions blittable = Options(1) with { JobSerializer = pairs, ResultSerializer = pairs };
        await using (WorkerPool<Pair, Pair> pool = await WorkerPool.StartAsync<Pair, Pair>(PoolBodies.Swap, blittable, Cancellation))
        {
            Pair result = await Soon(pool.RunAsync(new Pair { First = 1, Second = 2 }, Cancellation));
            Assert.Equal((2, 1), (result.First, result.Second));
        }
    }

    [Fact]
    public async Task A_body_may_be_asynchronous()
    {
        await using WorkerPool<int, int> pool = await WorkerPool.StartAsync<int, int>(PoolBodies.SquareLater, Options(2), Cancellation);
        int[] results = await Soon(Task.WhenAll(Enumerable.Range(0, 50).Select(number => pool.RunAsync(number, Cancellation))));
        Assert.Equal(Enumerable.Range(0, 50).Select(number => number * number), results);
    }

    [Fact]
    public async Task An_exception_comes_back_with_type_message_and_stack_and_costs_nobody_his_life()
    {
        await using WorkerPool<int, int> pool = await WorkerPool.StartAsync<int, int>(PoolBodies.Throw, Options(1), Cancellation);
        WorkerJobException error = await Assert.ThrowsAsync<WorkerJobException>(() => Soon(pool.RunAsync(-3, Cancellation)));
        Assert.Equal(typeof(InvalidDataException).FullName, error.RemoteTypeName);
        Assert.Equal("The number -3 is negative.", error.RemoteMessage);
        Assert.Contains(nameof(PoolBodies.Throw), error.RemoteStackTrace, StringComparison.Ordinal);
        Assert.Contains("The number -3 is negative.", error.Message, StringComparison.Ordinal);
        Assert.Null(error.Exit);
        Assert.Equal(7, await Soon(pool.RunAsync(7, Cancellation)));
        Assert.Equal(0, Assert.Single(pool.Workers).Restarts);
    }

    [Theory]
    [InlineData("silent", nameof(SilentException))]
    [InlineData("disposed", nameof(ObjectDisposedException))]
    public async Task Whatever_a_body_or_a_serializer_throws_costs_nobody_his_life(string word, string type)
    {
        WorkerPoolOptions options = Options(1) with { ResultSerializer = typeof(RefusingPayload) };
        await using WorkerPool<string, string> pool = await WorkerPool.StartAsync<string, string>(ThrowOrRefuse, options, Cancellation);
        WorkerJobException error = await Assert.ThrowsAsync<WorkerJobException>(() => Soon(pool.RunAsync(word, Cancellation)));
        Assert.Contains(type, error.RemoteTypeName, StringComparison.Ordinal);
        Assert.Equal("works", await Soon(pool.RunAsync("works", Cancellation)));
        Assert.Equal(0, Assert.Single(pool.Workers).Restarts);
    }

    [Fact]
    public async Task An_exception_ends_a_stream_in_its_place()
    {
        await using WorkerPool<int, int> pool = await WorkerPool.StartAsync<int, int>(PoolBodies.Throw, Options(2), Cancellation);
        List<int> results = [];
        await Assert.ThrowsAsync<WorkerJobException>(async () =>
        {
            await foreach (int result in pool.RunAsync([1, 2, 3, -4, 5, 6], Cancellation))
            {
                results.Add(result);
            }
        });
        Assert.Equal([1, 2, 3], results);
        Assert.Equal(8, await Soon(pool.RunAsync(8, Cancellation)));
    }

    [Fact]
    public async Task What_does_not_fit_is_an_exception_that_names_the_option()
    {
        WorkerPoolOptions options = Options(1) with { JobBufferBytes = 64 * 1024, ResultBufferBytes = 64 * 1024 };
        await using (WorkerPool<byte[], int> jobs = await WorkerPool.StartAsync<byte[], int>(PoolBodies.Length, options, Cancellation))
        {
            ShmMessageTooLargeException error =
                await Assert.ThrowsAsync<ShmMessageTooLargeException>(() => Soon(jobs.RunAsync(new byte[40_000], Cancellation)));
            Assert.Contains("JobBufferBytes", error.Message, StringComparison.Ordinal);
            Assert.Equal(32_000, await Soon(jobs.RunAsync(new byte[32_000], Cancellation)));
        }

        await using WorkerPool<int, byte[]> results = await WorkerPool.StartAsync<int, byte[]>(PoolBodies.Bytes, options, Cancellation);
        WorkerJobException tooLarge = await Assert.ThrowsAsync<WorkerJobException>(() => Soon(results.RunAsync(40_000, Cancellation)));
        Assert.Contains("ResultBufferBytes", tooLarge.Message, StringComparison.Ordinal);
        Assert.Equal(32_000, (await Soon(results.RunAsync(32_000, Cancellation))).Length);
    }

    [Fact]
    public async Task More_than_a_ring_of_jobs_and_results_goes_through()
    {
        WorkerPoolOptions options = Options(2) with { JobBufferBytes = 64 * 1024, ResultBufferBytes = 64 * 1024, MaxJobsInFlight = 100 };
        await using var pool = await WorkerPool.StartAsync<byte[], byte[]>(PoolBodies.Reverse, options, Cancellation);
        byte[][] results = await Soon(Task.WhenAll(Enumerable.Range(0, 200).Select(
            number => pool.RunAsync(Enumerable.Repeat((byte)number, 10_000).ToArray(), Cancellation))));
        Assert.All(
            results.Index(), result => Assert.Equal(Enumerable.Repeat((byte)result.Index, 10_000), result.Item));
    }

    [Fact]
    public async Task A_slow_taker_of_results_holds_up_the_source_of_jobs()
    {
        WorkerPoolOptions options = Options(2) with { MaxJobsInFlight = 4 };
        await using WorkerPool<int, int> pool = await WorkerPool.StartAsync<int, int>(PoolBodies.SlowSquare, options, Cancellation);
        int drawn = 0;
        int taken = 0;
        await foreach (int _ in pool.RunAsync(Source(Cancellation), Cancellation))
        {
            taken++;
            if (taken % 10 == 0)
            {
                await Task.Delay(50, Cancellation); // all that may run ahead does
            }

            Assert.InRange(Volatile.Read(ref drawn) - taken, 0, 4 + 2);
        }

        Assert.Equal(100, taken);

        async IAsyncEnumerable<int> Source([EnumeratorCancellation] CancellationToken cancellation)
        {
            for (int i = 0; i < 100; i++)
            {
                Interlocked.Increment(ref drawn);
                yield return i;
                await Task.Yield();
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    [Fact]
    public async Task Bodies_that_cannot_travel_are_refused()
    {
        int captured = 3;
        Assert.Contains("capture", (await Assert.ThrowsAsync<ArgumentException>(
            () => WorkerPool.StartAsync<int, int>((job, _) => job + captured))).Message, StringComparison.Ordinal);
        Assert.Contains("lambda", (await Assert.ThrowsAsync<ArgumentException>(
            () => WorkerPool.StartAsync<int, int>(static (job, _) => job))).Message, StringComparison.Ordinal);
        Assert.Contains("object", (await Assert.ThrowsAsync<ArgumentException>(
            () => WorkerPool.StartAsync<int, int>(Instance))).Message, StringComparison.Ordinal);
        Assert.Contains("generic", (await Assert.ThrowsAsync<ArgumentException>(
            () => WorkerPool.StartAsync<int, int>(Generic<int>))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_out_of_range_are_refused()
    {
        foreach (WorkerPoolOptions options in new WorkerPoolOptions[]
        {
            new() { Workers = 0 }, new() { Workers = 33 }, new() { MaxDeliveries = 7 }, new() { MaxJobsInFlight = 5000 },
            new() { JobBufferBytes = 100_000 }, new() { ResultBufferBytes = 4096 }, new() { JobTimeout = TimeSpan.Zero },
            new() { Cpus = [[]] }, new() { MemoryLimitBytes = 1 }, new() { MaxRestartDelay = TimeSpan.Zero },
        })
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => WorkerPool.StartAsync<int, int>(PoolBodies.Throw, options));
        }

        WorkerPoolOptions wrong = new() { JobSerializer = typeof(StringPayload) };
        Assert.Contains("JobSerializer", (await Assert.ThrowsAsync<ArgumentException>(
            () => WorkerPool.StartAsync<int, int>(PoolBodies.Throw, wrong))).Message, StringComparison.Ordinal);
    }

#pragma warning disable CA1822 // an instance's method is what is refused
    private int Instance(int job, WorkerContext context) => job;
#pragma warning restore CA1822

    private static T Generic<T>(T job, WorkerContext context) => job;

    private static string ThrowOrRefuse(string job, WorkerContext context) => job == "silent" ? throw new SilentException() : job;

    /// <summary>An exception that does not even say what it is.</summary>
    private sealed class SilentException : Exception
    {
        public override string Message => throw new NotSupportedException("no message");
    }

    /// <summary>A serializer that finds a result disposed.</summary>
    public sealed class RefusingPayload : IPayloadSerializer<string>
    {
        private readonly StringPayload _inner = new();

        public string Format => _inner.Format;

        public void Serialize(System.Buffers.IBufferWriter<byte> destination, string value)
        {
            ObjectDisposedException.ThrowIf(value == "disposed", this);
            _inner.Serialize(destination, value);
        }

        public string Deserialize(ReadOnlyMemory<byte> payload) => _inner.Deserialize(payload);
    }
}
