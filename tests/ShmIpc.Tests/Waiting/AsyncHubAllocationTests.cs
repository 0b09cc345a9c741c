using ShmIpc.Channels;
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

    [Fact]
    public async Task A_steady_stream_of_awaits_allocates_nothing()
    {
        const int rounds = 10_000;
        using ShmByteChannel requests = Open("requests");
        using ShmByteChannel answers = Open("answers");
        using ByteConsumer server = requests.CreateConsumer();
        using ByteProducer reply = answers.CreateProducer();
        using ByteConsumer client = answers.CreateConsumer();
        using ByteProducer ask = requests.CreateProducer();
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

        async Task<int> Exchange(int count)
        {
            int pending = 0;
            for (int i = 0; i < count; i++)
            {
                ValueTask<bool> wait = client.WaitToReadAsync();
                pending += wait.IsCompleted ? 0 : 1;
                ask.Write("question"u8);
                Assert.True(await wait.ConfigureAwait(false));
                Assert.True(client.TryRead(out _));
            }

            return pending;
        }

        await Task.Run(() => Exchange(2_000)).WaitAsync(_bound);
        List<long> windows = [];
        for (int window = 0; window < 3; window++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            int pending = await Task.Run(() => Exchange(rounds)).WaitAsync(_bound);
            windows.Add(GC.GetTotalAllocatedBytes(precise: true) - before);
            Assert.Equal(rounds, pending); // else nothing was measured
        }

        Atomics.Release(ref isDone, true);
        await serving.WaitAsync(_bound);
        // The smallest object has 24 bytes, so one an exchange would show as 24 x rounds in every window. The thread pool, the JIT and the
        // test runner allocate now and then, too; they only ever add, so the least window counts.
        Assert.True(windows.Min() < 12 * rounds, $"{string.Join(", ", windows)} bytes in {rounds} exchanges, each of which had to wait");
    }

    public void Dispose() => _root.Dispose();

    private ShmByteChannel Open(string name) =>
        ShmByteChannel.CreateOrOpen(name, new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096 });
}
