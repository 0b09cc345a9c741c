using ShmIpc.Values;
using ShmIpc.Waiting;
using Xunit;

namespace ShmIpc.Tests.Values;

public sealed class SharedValueWaitTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Theory]
    [InlineData(WaitStrategy.Adaptive)]
    [InlineData(WaitStrategy.BusySpin)]
    [InlineData(WaitStrategy.Park)]
    public async Task Each_change_ends_a_wait(WaitStrategy strategy)
    {
        using SharedValue<int> value = Open(strategy);
        using SharedValue<int> other = Open();
        using SharedValueWriter<int> writer = other.CreateWriter();
        Task<int> reading = OwnThread.Run(() =>
        {
            int changes = 0;
            for (long seen = 0; seen < 200; changes++)
            {
                Assert.True(value.WaitForChange(seen, _soon));
                Assert.True(value.TryRead(out int read, out long version));
                Assert.True(version > seen);
                Assert.Equal(version * 3, read);
                seen = version;
            }

            return changes;
        });
        for (int i = 1; i <= 200; i++)
        {
            writer.Write(i * 3);
            Thread.Sleep(i % 10 == 0 ? 2 : 0);
        }

        Assert.InRange(await reading.WaitAsync(_soon), 1, 200);
    }

    [Fact]
    public async Task A_read_waits_for_the_first_value()
    {
        using SharedValue<string> value = Open<string>();
        Assert.Throws<TimeoutException>(() => value.Read(TimeSpan.FromMilliseconds(20)));
        Task<string> reading = OwnThread.Run(() => value.Read(_soon));
        await Task.Delay(50);
        using SharedValueWriter<string> writer = value.CreateWriter();
        writer.Write("first");
        Assert.Equal("first", await reading.WaitAsync(_soon));
    }

    [Fact]
    public async Task Every_sleeper_wakes_also_when_several_share_an_object()
    {
        using SharedValue<int> one = Open(WaitStrategy.Park);
        using SharedValue<int> two = Open();
        using SharedValueWriter<int> writer = one.CreateWriter();
        for (int round = 0; round < 50; round++)
        {
            long seen = writer.Version;
            Task[] sleepers =
            [
                OwnThread.Run(() => Assert.True(one.WaitForChange(seen, _soon))),
                OwnThread.Run(() => Assert.True(one.WaitForChange(seen, _soon))),
                OwnThread.Run(() => Assert.True(two.WaitForChange(seen, _soon))),
                one.WaitForChangeAsync(seen).AsTask(),
                one.WaitForChangeAsync(seen).AsTask(),
                two.WaitForChangeAsync(seen).AsTask(),
            ];
            await Task.Delay(round % 10);
            writer.Write(round);
            await Task.WhenAll(sleepers).WaitAsync(_soon);
        }
    }

    [Fact]
    public async Task An_await_gives_the_version_that_it_found()
    {
        using SharedValue<int> value = Open();
        using SharedValueWriter<int> writer = value.CreateWriter();
        ValueTask<long> first = value.WaitForChangeAsync(0);
        Assert.False(first.IsCompleted);
        writer.Write(1);
        Assert.Equal(1, await first.AsTask().WaitAsync(_soon));
        Assert.Equal(1, await value.WaitForChangeAsync(0));
        Assert.Equal(1, await value.WaitForChangeAsync(17)); // another value of this name, perhaps: it is not what was seen
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using SharedValue<int> value = Open();
        using CancellationTokenSource gone = new(TimeSpan.FromMilliseconds(30));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => value.WaitForChangeAsync(0, gone.Token).AsTask().WaitAsync(_soon));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => value.WaitForChangeAsync(0, gone.Token).AsTask());
        Assert.Throws<OperationCanceledException>(() => value.WaitForChange(0, _soon, gone.Token));
        using CancellationTokenSource later = new(TimeSpan.FromMilliseconds(30));
        Assert.Throws<OperationCanceledException>(() => value.WaitForChange(0, _soon, later.Token));
        Assert.False(value.WaitForChange(0, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => value.WaitForChange(0, TimeSpan.FromSeconds(-2)));
    }

    [Fact]
    public async Task Changes_come_in_order_none_twice_and_the_latest_always()
    {
        using SharedValue<int> value = Open();
        using SharedValueWriter<int> writer = value.CreateWriter();
        writer.Write(1);
        Task<List<int>> reading = Task.Run(async () =>
        {
            List<int> seen = [];
            await foreach (int change in value.ReadAllChangesAsync())
            {
                seen.Add(change);
                if (change == 3_000)
                {
                    break;
                }
            }

            return seen;
        });
        for (int i = 2; i <= 3_000; i++)
        {
            writer.Write(i);
            if (i % 500 == 0)
            {
                await Task.Delay(2);
            }
        }

        List<int> changes = await reading.WaitAsync(_soon);
        Assert.Equal(changes.Order().Distinct(), changes);
        Assert.Equal(3_000, changes[^1]);
    }

    [Fact]
    public async Task Deleting_ends_every_wait()
    {
        using SharedValue<int> value = Open(WaitStrategy.Park);
        Task sleeping = OwnThread.Run(() => Assert.Throws<ShmRegionDeletedException>(() => value.WaitForChange(0, _soon)));
        Task reading = OwnThread.Run(() => Assert.Throws<ShmRegionDeletedException>(() => value.Read(_soon)));
        Task<long> awaiting = value.WaitForChangeAsync(0).AsTask();
        await using IAsyncEnumerator<int> changes = value.ReadAllChangesAsync().GetAsyncEnumerator();
        Task<bool> next = changes.MoveNextAsync().AsTask();
        await Task.Delay(60);
        Assert.True(SharedValue.Delete("x", _root.Path));
        await sleeping.WaitAsync(_soon);
        await reading.WaitAsync(_soon);
        await Assert.ThrowsAsync<ShmRegionDeletedException>(() => awaiting.WaitAsync(_soon));
        await Assert.ThrowsAsync<ShmRegionDeletedException>(() => next.WaitAsync(_soon));
    }

    [Fact]
    public async Task Disposing_ends_every_wait_of_the_object()
    {
        for (int round = 0; round < 20; round++)
        {
            SharedValue<int> value = Open(round % 2 == 0 ? WaitStrategy.Park : WaitStrategy.Adaptive);
            Task sleeping = OwnThread.Run(() => Assert.Throws<ObjectDisposedException>(() => value.WaitForChange(0, _soon)));
            Task<long> awaiting = value.WaitForChangeAsync(0).AsTask();
            await Task.Delay(round);
            value.Dispose();
            await sleeping.WaitAsync(_soon);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => awaiting.WaitAsync(_soon));
        }
    }

    public void Dispose() => _root.Dispose();

    private SharedValue<int> Open(WaitStrategy strategy = WaitStrategy.Adaptive) => Open<int>(strategy);

    private SharedValue<T> Open<T>(WaitStrategy strategy = WaitStrategy.Adaptive) =>
        SharedValue.CreateOrOpen<T>("x", new SharedValueOptions { Root = _root.Path, WaitStrategy = strategy });
}
