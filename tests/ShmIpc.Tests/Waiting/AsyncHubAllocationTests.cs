using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.Memory;
using Xunit;

#pragma warning disable CA2012 // the test looks at pending tasks, which users should not

namespace ShmIpc.Tests.Waiting;

/// <summary>Counts the bytes that the whole process allocates, hub and thread pool included, so no other test may run beside it.</summary>
[CollectionDefinition(nameof(AsyncHubAllocationTests), DisableParallelization = true)]
[Collection(nameof(AsyncHubAllocationTests))]
public sealed class AsyncHubAllocationTests : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    private const int Rounds = 10_000;
    private const int RoundsAtOnce = 500;
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(10); // a machine that is busy with something else has fewer rounds
    private ByteConsumer _client = null!;
    private ByteConsumer _silent = null!;
    private ByteProducer _ask = null!;

    [Fact]
    public Task A_steady_stream_of_awaits_allocates_nothing() => AssertNothingAllocated(async count =>
    {
        int pending = 0;
        for (int i = 0; i < count; i++)
        {
            ValueTask<bool> wait = _client.WaitToReadAsync();
            pending += wait.IsCompleted ? 0 : 1;
            _ask.Write("question"u8);
            Assert.True(await wait.ConfigureAwait(false));
            Assert.True(_client.TryRead(out _));
        }

        return pending;
    });

    [Fact]
    public Task A_steady_stream_of_awaits_for_any_of_several_allocates_nothing() => AssertNothingAllocated(async count =>
    {
        int pending = 0;
        for (int i = 0; i < count; i++)
        {
            ValueTask<int> wait = ShmChannel.WaitAnyAsync([_silent, _client, _silent]);
            pending += wait.IsCompleted ? 0 : 1;
            _ask.Write("question"u8);
            Assert.True(await wait.ConfigureAwait(false) == 1); // Assert.Equal allocates
            Assert.True(_client.TryRead(out _));
        }

        return pending;
    });

    [Fact]
    public Task Waiting_for_any_of_several_allocates_nothing()
    {
        Assert.SkipUnless(Futex.IsWaitAnySupported, "Without futex_waitv a thread that waits for several awaits them.");
        return AssertNothingAllocated(count =>
        {
            for (int i = 0; i < count; i++)
            {
                _ask.Write("question"u8);
                Assert.True(ShmChannel.WaitAny([_silent, _client, _silent], _bound) == 1); // Assert.Equal allocates
                Assert.True(_client.TryRead(out _));
            }

            return Task.FromResult(count);
        });
    }

    private async Task AssertNothingAllocated(Func<int, Task<int>> exchange)
    {
        using ShmByteChannel requests = Open("requests");
        using ShmByteChannel answers = Open("answers");
        using ShmByteChannel silence = Open("silence");
        using ByteConsumer server = requests.CreateConsumer();
        using ByteProducer reply = answers.CreateProducer();
        using (_client = answers.CreateConsumer())
        using (_silent = silence.CreateConsumer())
        using (_ask = requests.CreateProducer())
        {
            bool isDone = false;
            Task serving = OwnThread.Run(() =>
            {
                while (!Atomics.Acquire(ref isDone))
                {
                    if (server.WaitToRead(TimeSpan.FromMilliseconds(20)) && server.TryRead(out _))
                    {
                        reply.Write("answer"u8);
                    }
                }
            });
            await ExchangeAsync(2_000);
            List<long> windows = [];
            for (int window = 0; window < 3; window++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                int rounds = await ExchangeAsync(Rounds);
                windows.Add((GC.GetTotalAllocatedBytes(precise: true) - before) / rounds);
            }

            Atomics.Release(ref isDone, true);
            await serving.WaitAsync(_bound);
            // The smallest object has 24 bytes, so one an exchange would show in every window. The thread pool, the JIT and the test runner
            // allocate now and then, too; they only ever add, so the least window counts.
            Assert.True(windows.Min() < 12, $"{string.Join(", ", windows)} bytes an exchange, each of which had to wait");
        }

        async Task<int> ExchangeAsync(int most)
        {
            int rounds = 0;
            for (long start = Stopwatch.GetTimestamp(); rounds < most && Stopwatch.GetElapsedTime(start) < _longest; rounds += RoundsAtOnce)
            {
                int pending = await Task.Run(() => exchange(RoundsAtOnce)).WaitAsync(_bound);
                Assert.Equal(RoundsAtOnce, pending); // else nothing was measured
            }

            return rounds;
        }
    }

    public void Dispose() => _root.Dispose();

    private ShmByteChannel Open(string name) =>
        ShmByteChannel.CreateOrOpen(name, new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096 });
}
